-- What each audit of clusters found. Nothing acts on it by itself; the latest audit is the one that stands.
CREATE TABLE cluster_audits (
    audit_id BIGINT PRIMARY KEY, done_at TIMESTAMP NOT NULL, reports BIGINT NOT NULL, splits BIGINT NOT NULL);

-- A cluster that holds two groups: `leaving` are the reports of one of them, `leaving_id` and `staying_id` the most
-- typical report of each; likeness between the groups (`mutual`) and inside the looser one (`inside`), 0 to 1.
CREATE TABLE split_suggestions (
    audit_id BIGINT NOT NULL, axis VARCHAR NOT NULL, cluster_id VARCHAR NOT NULL,
    staying_id VARCHAR NOT NULL, leaving_id VARCHAR NOT NULL, leaving VARCHAR[] NOT NULL,
    mutual DOUBLE NOT NULL, inside DOUBLE NOT NULL);

-- What technique the likeness takes a cluster of the technique axis for: a suggestion, empty when it is unsure.
ALTER TABLE clusters ADD COLUMN family VARCHAR;
