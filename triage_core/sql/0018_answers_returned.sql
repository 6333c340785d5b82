-- Whoever should approve an answer may send it back to its writer instead, with a reason. That is a step like the
-- others; what is written next is a draft again.
DROP VIEW present_answers;
ALTER TABLE better_answers ADD COLUMN returned_by VARCHAR;
ALTER TABLE better_answers ADD COLUMN returned_why VARCHAR DEFAULT '';

CREATE VIEW present_answers AS
    SELECT * FROM better_answers QUALIFY row_number() OVER (PARTITION BY report_id ORDER BY answer_id DESC) = 1;
