-- What people said of the groups of an axis: this pair belongs together, that pair never does. A decision
-- is one number and a star of pairs around its first report, so that taking n out of m is n + m rows.
CREATE TABLE group_decisions (
    decision_id BIGINT PRIMARY KEY, axis VARCHAR NOT NULL, cluster_id VARCHAR NOT NULL, act VARCHAR NOT NULL,
    done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL, reason VARCHAR NOT NULL);
CREATE TABLE group_pairs (
    decision_id BIGINT NOT NULL, apart BOOLEAN NOT NULL, one_id VARCHAR NOT NULL, other_id VARCHAR NOT NULL);
-- A decision is in force from the start; each turn takes it out of force or puts it back, and the last one counts.
CREATE TABLE group_turns (
    turn_id BIGINT PRIMARY KEY, decision_id BIGINT NOT NULL, in_force BOOLEAN NOT NULL,
    done_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL, reason VARCHAR NOT NULL);

CREATE VIEW active_group_pairs AS
    SELECT d.axis, p.* FROM group_pairs p JOIN group_decisions d USING (decision_id)
    ANTI JOIN (SELECT decision_id FROM group_turns GROUP BY decision_id HAVING NOT arg_max(in_force, turn_id))
    USING (decision_id);
-- All that binds and all that keeps apart, by axis: links and cannot-links are about duplicates, the axis of the whole.
CREATE VIEW bound_pairs AS
    SELECT 'whole' AS axis, 0 AS decision_id, canonical_id AS one_id, child_id AS other_id FROM active_links
    UNION ALL SELECT axis, decision_id, one_id, other_id FROM active_group_pairs WHERE NOT apart;
CREATE VIEW apart_pairs AS
    SELECT 'whole' AS axis, 0 AS decision_id, a_id AS one_id, b_id AS other_id FROM active_cannot_links
    UNION ALL SELECT axis, decision_id, one_id, other_id FROM active_group_pairs WHERE apart;
-- Every pair that is no pair of duplicates by somebody's word: each of a group with each that was kept apart from it.
CREATE VIEW told_apart AS
    SELECT a_id AS one_id, b_id AS other_id FROM active_cannot_links
    UNION ALL SELECT i.name, p.other_id FROM active_group_pairs p
    JOIN (SELECT decision_id, one_id AS name FROM active_group_pairs
          UNION SELECT decision_id, other_id FROM active_group_pairs WHERE NOT apart) i USING (decision_id)
    WHERE p.apart AND p.axis = 'whole';
