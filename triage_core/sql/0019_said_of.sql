-- Every word of a person on what belongs together and what does not, under each report that it names: when it was
-- said or taken back, by whom, and the subject under which its event is filed. Two groups of a decision on a cluster
-- are stored as a star of pairs, so that its first report comes up once a pair.
CREATE VIEW said_of AS
    SELECT child_id AS name, 'whole' AS axis, child_id AS subject, done_at, actor_id FROM duplicate_links
    UNION ALL SELECT canonical_id, 'whole', child_id, done_at, actor_id FROM duplicate_links
    UNION ALL SELECT child_id, 'whole', child_id, e.done_at, e.actor_id
        FROM duplicate_links JOIN duplicate_link_ends e USING (link_id)
    UNION ALL SELECT canonical_id, 'whole', child_id, e.done_at, e.actor_id
        FROM duplicate_links JOIN duplicate_link_ends e USING (link_id)
    UNION ALL SELECT a_id, 'whole', b_id, done_at, actor_id FROM cannot_links
    UNION ALL SELECT b_id, 'whole', b_id, done_at, actor_id FROM cannot_links
    UNION ALL SELECT a_id, 'whole', b_id, e.done_at, e.actor_id
        FROM cannot_links JOIN cannot_link_ends e USING (cannot_id)
    UNION ALL SELECT b_id, 'whole', b_id, e.done_at, e.actor_id
        FROM cannot_links JOIN cannot_link_ends e USING (cannot_id)
    UNION ALL SELECT one_id, axis, cluster_id, done_at, actor_id
        FROM group_pairs JOIN group_decisions USING (decision_id)
    UNION ALL SELECT other_id, axis, cluster_id, done_at, actor_id
        FROM group_pairs JOIN group_decisions USING (decision_id)
    UNION ALL SELECT one_id, axis, cluster_id, t.done_at, t.actor_id
        FROM group_pairs JOIN group_decisions USING (decision_id) JOIN group_turns t USING (decision_id)
    UNION ALL SELECT other_id, axis, cluster_id, t.done_at, t.actor_id
        FROM group_pairs JOIN group_decisions USING (decision_id) JOIN group_turns t USING (decision_id);
