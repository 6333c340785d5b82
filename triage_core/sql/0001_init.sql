-- Facts are rows that are never changed; `cases` alone holds the present state of a report.
-- Primary keys only where a key is looked up or must be unique; no foreign keys, no other indexes:
-- an index on a changing column makes DuckDB refuse updates and most alterations.

CREATE TABLE events (
    seq BIGINT PRIMARY KEY, done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL, command VARCHAR NOT NULL,
    kind VARCHAR NOT NULL, subject VARCHAR NOT NULL, data VARCHAR NOT NULL,
    prev_hash VARCHAR NOT NULL, hash VARCHAR NOT NULL);

CREATE TABLE reporters (
    reporter_id VARCHAR PRIMARY KEY, contact_sha256 VARCHAR, contact VARCHAR NOT NULL,
    credit_name VARCHAR NOT NULL, credit_wish VARCHAR NOT NULL, first_seen_at TIMESTAMP NOT NULL);

CREATE TABLE reports (
    report_id VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, external_id VARCHAR, channel VARCHAR NOT NULL,
    received_at TIMESTAMP NOT NULL, reporter_id VARCHAR, policy_version VARCHAR NOT NULL,
    content_sha256 VARCHAR NOT NULL, body_sha256 VARCHAR NOT NULL,
    platform VARCHAR NOT NULL, model VARCHAR NOT NULL, model_version VARCHAR NOT NULL,
    what_is_wrong VARCHAR NOT NULL, harm_types VARCHAR[] NOT NULL, disclosure_intent VARCHAR NOT NULL,
    turns STRUCT(role VARCHAR, content VARCHAR)[] NOT NULL,
    body VARCHAR NOT NULL);             -- the flaw-report/1 JSON without its turns

CREATE TABLE cases (
    report_id VARCHAR PRIMARY KEY, version INTEGER NOT NULL, status VARCHAR NOT NULL, resolution VARCHAR,
    canonical_id VARCHAR, assessment_id BIGINT, severity VARCHAR, priority VARCHAR,
    exploitation VARCHAR NOT NULL, tlp VARCHAR NOT NULL,
    consent_training VARCHAR NOT NULL, consent_share_peers VARCHAR NOT NULL,
    response_due TIMESTAMP NOT NULL, triage_due TIMESTAMP NOT NULL, fix_due TIMESTAMP,
    first_response_at TIMESTAMP, triaged_at TIMESTAMP, closed_at TIMESTAMP,
    updated_at TIMESTAMP NOT NULL, updated_by VARCHAR NOT NULL);

CREATE TABLE tracking_keys (key_sha256 VARCHAR PRIMARY KEY, report_id VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL);

-- What makes a second delivery of the same thing visible: a client's idempotency key, an external
-- id, or the content of an imported line and its count within the file.
CREATE TABLE intake_keys (intake_key VARCHAR PRIMARY KEY, report_id VARCHAR NOT NULL, body_sha256 VARCHAR NOT NULL);

CREATE TABLE policy_versions (
    version VARCHAR PRIMARY KEY, sha256 VARCHAR NOT NULL, policy_toml VARCHAR NOT NULL,
    severity_csv VARCHAR NOT NULL, priority_csv VARCHAR NOT NULL,
    published_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL);

-- A text is embedded once per model, however many reports hold it. Unique by command (one writer).
CREATE TABLE embeddings (content_sha256 VARCHAR NOT NULL, model_id VARCHAR NOT NULL, vector FLOAT[] NOT NULL);

-- The space that likeness answers from: its model, and the setting that named it.
CREATE TABLE likeness_space (model VARCHAR NOT NULL, model_id VARCHAR NOT NULL);

CREATE TABLE memberships (
    axis VARCHAR NOT NULL, report_id VARCHAR NOT NULL, cluster_id VARCHAR NOT NULL, model_id VARCHAR NOT NULL,
    nearest_id VARCHAR, nearest DOUBLE, mean DOUBLE, runner_up_id VARCHAR, runner_up DOUBLE);

CREATE TABLE clusters (
    axis VARCHAR NOT NULL, cluster_id VARCHAR NOT NULL, representative_id VARCHAR NOT NULL,
    size BIGINT NOT NULL, label VARCHAR NOT NULL);

-- A cluster keeps the number of its earliest report; when two become one, the younger id leads on.
CREATE TABLE cluster_aliases (
    axis VARCHAR NOT NULL, old_id VARCHAR NOT NULL, new_id VARCHAR NOT NULL, done_at TIMESTAMP NOT NULL);

CREATE TABLE spans (report_id VARCHAR NOT NULL, kind VARCHAR NOT NULL, start_at INTEGER NOT NULL, end_at INTEGER NOT NULL);

-- `later_id` is the one of the two that was submitted later; an import may bring old reports after new ones.
CREATE TABLE suggestions (
    child_id VARCHAR NOT NULL, canonical_id VARCHAR NOT NULL, later_id VARCHAR NOT NULL, score DOUBLE NOT NULL,
    basis VARCHAR NOT NULL, model_id VARCHAR NOT NULL);

-- What reviewers' decisions taught: only a model that did better on pairs held back is kept.
CREATE TABLE pair_models (
    version INTEGER PRIMARY KEY, weights DOUBLE[] NOT NULL, bias DOUBLE NOT NULL, pairs INTEGER NOT NULL,
    old_loss DOUBLE NOT NULL, new_loss DOUBLE NOT NULL, done_at TIMESTAMP NOT NULL);

CREATE TABLE duplicate_links (
    link_id BIGINT PRIMARY KEY, child_id VARCHAR NOT NULL, canonical_id VARCHAR NOT NULL,
    done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    score DOUBLE, model_id VARCHAR, threshold DOUBLE);
CREATE TABLE duplicate_link_ends (link_id BIGINT PRIMARY KEY, done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL, reason VARCHAR NOT NULL);

CREATE TABLE cannot_links (
    cannot_id BIGINT PRIMARY KEY, a_id VARCHAR NOT NULL, b_id VARCHAR NOT NULL,
    done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL, reason VARCHAR NOT NULL);
CREATE TABLE cannot_link_ends (cannot_id BIGINT PRIMARY KEY, done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL, reason VARCHAR NOT NULL);

CREATE TABLE assessments (
    assessment_id BIGINT PRIMARY KEY, report_id VARCHAR NOT NULL, done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL,
    policy_version VARCHAR NOT NULL, clauses VARCHAR[] NOT NULL,
    harm VARCHAR, exposure VARCHAR, generality VARCHAR, reliability VARCHAR, uplift VARCHAR,
    computed_severity VARCHAR, severity VARCHAR, override_reason VARCHAR NOT NULL,
    priority VARCHAR, resolution VARCHAR, note VARCHAR NOT NULL, reproduction_log VARCHAR NOT NULL);

CREATE TABLE better_answers (
    answer_id BIGINT PRIMARY KEY, report_id VARCHAR NOT NULL, done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL,
    content VARCHAR NOT NULL);

CREATE TABLE embargoes (
    report_id VARCHAR PRIMARY KEY, state VARCHAR NOT NULL, starts_at TIMESTAMP, ends_at TIMESTAMP,
    proposed_end TIMESTAMP, proposed_by VARCHAR NOT NULL, exited_at TIMESTAMP, exit_reason VARCHAR NOT NULL);

CREATE TABLE rewards (
    reward_id BIGINT PRIMARY KEY, report_id VARCHAR NOT NULL, done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL, amount DECIMAL(12, 2), currency VARCHAR NOT NULL, state VARCHAR NOT NULL,
    policy_version VARCHAR NOT NULL, reason VARCHAR NOT NULL);

CREATE TABLE datasets (
    name VARCHAR NOT NULL, version VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL,
    profile VARCHAR NOT NULL, layout VARCHAR NOT NULL, format VARCHAR NOT NULL, folder VARCHAR NOT NULL,
    manifest VARCHAR NOT NULL, PRIMARY KEY (name, version));

-- The split of a group is drawn once and kept, so that a test row never becomes a training row.
CREATE TABLE dataset_splits (report_id VARCHAR PRIMARY KEY, split VARCHAR NOT NULL);

CREATE VIEW active_links AS
    SELECT l.* FROM duplicate_links l ANTI JOIN duplicate_link_ends e USING (link_id);
CREATE VIEW active_cannot_links AS
    SELECT c.* FROM cannot_links c ANTI JOIN cannot_link_ends e USING (cannot_id);
