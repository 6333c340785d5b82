-- What lists are ordered by stands beside the state that they are filtered by: one page of a million reports
-- is then found in one table, without joining another million. Neither ever changes once a report is in.
ALTER TABLE cases ADD COLUMN seq BIGINT;
ALTER TABLE cases ADD COLUMN received_at TIMESTAMP;
UPDATE cases SET seq = r.seq, received_at = r.received_at FROM reports r WHERE r.report_id = cases.report_id;

-- A person's own views: the filters of a list (JSON) under a name.
CREATE TABLE saved_views (
    owner_id VARCHAR NOT NULL, name VARCHAR NOT NULL, filters VARCHAR NOT NULL, saved_at TIMESTAMP NOT NULL,
    PRIMARY KEY (owner_id, name));
