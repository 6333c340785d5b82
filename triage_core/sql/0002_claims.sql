-- Who works on a report at this moment: one row a report, held until it expires. A row is never
-- deleted, since DuckDB refuses to delete and insert the same key in one transaction.
CREATE TABLE claims (
    report_id VARCHAR PRIMARY KEY, holder_id VARCHAR NOT NULL,
    claimed_at TIMESTAMP NOT NULL, expires_at TIMESTAMP NOT NULL);

-- Whose task a report is, and until when it need not be looked at: changed with an event like the rest of a case.
ALTER TABLE cases ADD COLUMN assigned_to VARCHAR;
ALTER TABLE cases ADD COLUMN snoozed_until TIMESTAMP;
