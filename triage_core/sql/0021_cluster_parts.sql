-- Beyond close reading a cluster of techniques is shown in parts, one for each tool in it. The rule that places reports
-- goes on with the cluster as a whole, also after a restart: of which cluster a part is one.
CREATE TABLE cluster_parts (axis VARCHAR NOT NULL, part_id VARCHAR NOT NULL, cluster_id VARCHAR NOT NULL);
