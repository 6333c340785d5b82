-- What a reviewer has entered for a report and not decided yet: the last state of each pair, replaced
-- whenever it changes. It counts until an event after number `after_seq` says that its author decided.
CREATE TABLE drafts (
    report_id VARCHAR NOT NULL, actor_id VARCHAR NOT NULL, fields VARCHAR NOT NULL,
    after_seq BIGINT NOT NULL, saved_at TIMESTAMP NOT NULL, PRIMARY KEY (report_id, actor_id));
