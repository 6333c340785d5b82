-- What decisions taught about severity, harm and clauses: only a model that did better on decisions held back is kept.
-- `support` names the reports (and "example:" clauses) that it rests on; `weights` holds a row of them for each question.
CREATE TABLE suggestion_models (
    version INTEGER PRIMARY KEY, policy_sha256 VARCHAR NOT NULL, model_id VARCHAR NOT NULL, decisions INTEGER NOT NULL,
    support VARCHAR[] NOT NULL, questions VARCHAR[] NOT NULL, weights DOUBLE[] NOT NULL, bias DOUBLE[] NOT NULL,
    scale DOUBLE[] NOT NULL, shift DOUBLE[] NOT NULL, old_loss DOUBLE, new_loss DOUBLE, done_at TIMESTAMP NOT NULL);

-- How a model that had seen only the first `decisions` would have done on those that came next, in order of time.
CREATE TABLE suggestion_tests (
    version INTEGER NOT NULL, about VARCHAR NOT NULL, decisions INTEGER NOT NULL,
    asked INTEGER NOT NULL, suggested INTEGER NOT NULL, hits INTEGER NOT NULL);
