-- Whoever should approve an answer may send it back to its writer instead, with a reason. That is a step like the
-- others; what is written next is a draft again.
DROP VIEW present_answers;
ALTER TABLE better_answers ADD COLUMN returned_by VARCHAR;
ALTER TABLE better_answers ADD COLUMN returned_why VARCHAR DEFAULT '';

CREATE VIEW present_answers AS
    SELECT * FROM better_answers QUALIFY row_number() OVER (PARTITION BY report_id ORDER BY answer_id DESC) = 1;

-- After how many days the next version of a dataset is built (0: only when somebody asks for it).
CREATE TABLE dataset_plans (name VARCHAR PRIMARY KEY, every_days INTEGER NOT NULL);

-- Versions whose files were deleted; what is known of them stays in `datasets`.
CREATE TABLE dataset_retirements (
    name VARCHAR NOT NULL, version VARCHAR NOT NULL, done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL,
    PRIMARY KEY (name, version));
