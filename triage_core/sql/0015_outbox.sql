-- What is to be sent out, one row a message and channel. `facts` (JSON) are the values of a template of ours: report
-- ids, counts, moments. Never a word of a report, and never an address: that of a reporter is looked up when sending.
CREATE TABLE outbox (
    message_key VARCHAR PRIMARY KEY, channel VARCHAR NOT NULL, kind VARCHAR NOT NULL, facts VARCHAR NOT NULL,
    made_at TIMESTAMP NOT NULL, state VARCHAR NOT NULL, attempts INTEGER NOT NULL, next_at TIMESTAMP NOT NULL,
    done_at TIMESTAMP, error VARCHAR NOT NULL);

-- Up to where the store was looked through for news: one row, moved on in the transaction that fills the outbox.
CREATE TABLE outbox_mark (looked_at TIMESTAMP NOT NULL, message_id BIGINT NOT NULL, assessment_id BIGINT NOT NULL);
