-- What the desk and a reporter told each other. `text` is what a person wrote; our own notices hold "" and
-- the values of their template in `params` (JSON).
CREATE TABLE messages (
    message_id BIGINT PRIMARY KEY, report_id VARCHAR NOT NULL, done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL,
    direction VARCHAR NOT NULL, kind VARCHAR NOT NULL, text VARCHAR NOT NULL, params VARCHAR NOT NULL);

-- A product's key for its report button; only the hash is kept. A key that was ended is never taken again.
CREATE TABLE api_keys (
    key_id BIGINT PRIMARY KEY, key_sha256 VARCHAR NOT NULL, product VARCHAR NOT NULL, origins VARCHAR[] NOT NULL,
    per_minute INTEGER NOT NULL, done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL);
CREATE TABLE api_key_ends (key_id BIGINT PRIMARY KEY, done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL);
CREATE VIEW active_api_keys AS
    SELECT k.* FROM api_keys k ANTI JOIN api_key_ends e USING (key_id);

-- How much a report looked like spam when it came in (0 to 1) and by which signs: a suggestion that refuses
-- nothing. Most reports show no sign and have no row.
CREATE TABLE spam_suggestions (report_id VARCHAR PRIMARY KEY, score DOUBLE NOT NULL, signs VARCHAR[] NOT NULL);
