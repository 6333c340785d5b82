-- A second look: another reviewer decides on the same report without seeing the first decision, `first_id`.
-- One row a decision that is looked at again. `wanted` is false when the question was taken back; `second_id`
-- is the answer in force and `agreement` (0 to 1) how far it is like the first. A look stands as long as its
-- first decision does, so that undoing the decision cancels the look and doing it again brings it back.
CREATE TABLE second_looks (
    look_id BIGINT PRIMARY KEY, report_id VARCHAR NOT NULL, first_id BIGINT NOT NULL, reason VARCHAR NOT NULL,
    asked_at TIMESTAMP NOT NULL, asked_by VARCHAR NOT NULL, wanted BOOLEAN NOT NULL,
    second_id BIGINT, agreement DOUBLE);

-- The key of the draw: one row, made with the first decision. Which reports are drawn follows from it.
CREATE TABLE draw_key (draw_key VARCHAR NOT NULL);

-- Set on a blind second decision; NULL on a decision on the case itself.
ALTER TABLE assessments ADD COLUMN look_id BIGINT;

CREATE VIEW open_looks AS
    SELECT l.*, c.version FROM second_looks l JOIN cases c ON c.report_id = l.report_id AND c.assessment_id = l.first_id
    WHERE l.wanted AND c.canonical_id IS NULL AND l.agreement IS DISTINCT FROM 1;
