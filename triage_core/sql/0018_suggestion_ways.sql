-- How much of each question's model is linear in the vectors; models from before were not at all.
ALTER TABLE suggestion_models ADD COLUMN blend DOUBLE[];
UPDATE suggestion_models SET blend = list_transform(bias, lambda one: 0.0 * one);
