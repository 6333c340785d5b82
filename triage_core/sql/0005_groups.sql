-- What people said of the groups of an axis: this pair belongs together, that pair never does. A decision
-- is one number and a star of pairs around its first report, so that taking n out of m is n + m rows.
CREATE TABLE group_decisions (
    decision_id BIGINT PRIMARY KEY, axis VARCHAR NOT NULL, cluster_id VARCHAR NOT NULL, act VARCHAR NOT NULL,
    done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL, reason VARCHAR NOT NULL);
CREATE TABLE group_pairs (
    decision_id BIGINT NOT NULL, apart BOOLEAN NOT NULL, one_id VARCHAR NOT NULL, other_id VARCHAR NOT NULL);
CREATE TABLE group_decision_ends (
    decision_id BIGINT PRIMARY KEY, done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL, reason VARCHAR NOT NULL);

CREATE VIEW active_group_pairs AS
    SELECT d.axis, p.* FROM group_pairs p JOIN group_decisions d USING (decision_id)
    ANTI JOIN group_decision_ends e USING (decision_id);
-- All that binds and all that keeps apart, by axis: links and cannot-links are about duplicates, the axis of the whole.
CREATE VIEW bound_pairs AS
    SELECT 'whole' AS axis, canonical_id AS one_id, child_id AS other_id FROM active_links
    UNION ALL SELECT axis, one_id, other_id FROM active_group_pairs WHERE NOT apart;
CREATE VIEW apart_pairs AS
    SELECT 'whole' AS axis, a_id AS one_id, b_id AS other_id FROM active_cannot_links
    UNION ALL SELECT axis, one_id, other_id FROM active_group_pairs WHERE apart;
