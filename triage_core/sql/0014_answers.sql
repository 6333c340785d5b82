-- A better answer is written by one person and approved by another; each step is a row of its own, the latest
-- is in force, and an empty one says that there is none. `turn` counts the turns of the conversation from 1 and
-- names the answer that should have been another; NULL is the answer at its end. Older answers are drafts.
ALTER TABLE better_answers ADD COLUMN turn INTEGER;
ALTER TABLE better_answers ADD COLUMN written_by VARCHAR;
ALTER TABLE better_answers ADD COLUMN approved_by VARCHAR;
UPDATE better_answers SET written_by = actor_id;

CREATE VIEW present_answers AS
    SELECT * FROM better_answers QUALIFY row_number() OVER (PARTITION BY report_id ORDER BY answer_id DESC) = 1;
