-- A policy that is being written. `revision` numbers its texts, of which every one is kept; `state` is open,
-- approved, withdrawn or published (then as `version`).
CREATE TABLE policy_drafts (
    draft_id BIGINT PRIMARY KEY, revision INTEGER NOT NULL, state VARCHAR NOT NULL, base_version VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL, started_by VARCHAR NOT NULL, updated_at TIMESTAMP NOT NULL, updated_by VARCHAR NOT NULL,
    approved_at TIMESTAMP, approved_by VARCHAR, version VARCHAR);

CREATE TABLE policy_draft_texts (
    draft_id BIGINT NOT NULL, revision INTEGER NOT NULL, done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL,
    what VARCHAR NOT NULL, policy_toml VARCHAR NOT NULL, severity_csv VARCHAR NOT NULL, priority_csv VARCHAR NOT NULL,
    PRIMARY KEY (draft_id, revision));
