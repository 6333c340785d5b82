-- Companies with similar products, which may be told of a flaw. Of an access key the hash is kept, and a peer that was
-- ended is told nothing more.
CREATE TABLE peers (
    peer_id BIGINT PRIMARY KEY, key_sha256 VARCHAR NOT NULL, name VARCHAR NOT NULL, email VARCHAR NOT NULL,
    done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL);
CREATE TABLE peer_ends (peer_id BIGINT PRIMARY KEY, done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL);
CREATE VIEW active_peers AS SELECT p.* FROM peers p ANTI JOIN peer_ends e USING (peer_id);

-- What is told to peers about the flaw of a report: `title` is the desk's own, `note` says why it concerns others where
-- the assessment does not.
CREATE TABLE advisories (
    advisory_id BIGINT PRIMARY KEY, report_id VARCHAR NOT NULL, title VARCHAR NOT NULL, note VARCHAR NOT NULL,
    done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL);
CREATE TABLE advisory_ends (
    advisory_id BIGINT PRIMARY KEY, report_id VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL);

-- What passed between the desk and one peer about an advisory, a row an act, and stays. `embargo_end` is the end that an
-- acceptance is of; `status` and `note` are the peer's answer about its own product.
CREATE TABLE advisory_steps (
    step_id BIGINT PRIMARY KEY, advisory_id BIGINT NOT NULL, report_id VARCHAR NOT NULL, peer_id BIGINT NOT NULL,
    step VARCHAR NOT NULL, embargo_end TIMESTAMP, status VARCHAR, note VARCHAR NOT NULL,
    done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL);
