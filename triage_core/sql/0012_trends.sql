-- What reports are counted by stands beside the state that they are counted in, so that one table answers for a
-- million of them. None of these changes once a report is in; `is_copy` says that its words had come in before.
ALTER TABLE cases ADD COLUMN platform VARCHAR;
ALTER TABLE cases ADD COLUMN model_version VARCHAR;
ALTER TABLE cases ADD COLUMN channel VARCHAR;
ALTER TABLE cases ADD COLUMN harm_types VARCHAR[];
ALTER TABLE cases ADD COLUMN is_copy BOOLEAN DEFAULT false;
UPDATE cases SET platform = r.platform, model_version = r.model_version, channel = r.channel,
    harm_types = r.harm_types, is_copy = r.is_copy
FROM (SELECT *, content_sha256 <> '' AND row_number() OVER (PARTITION BY content_sha256 ORDER BY seq) > 1 AS is_copy
      FROM reports) r
WHERE r.report_id = cases.report_id;

-- When a closed report was last opened again by a decision or a move.
ALTER TABLE cases ADD COLUMN reopened_at TIMESTAMP;
