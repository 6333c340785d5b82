-- How each report was read when it arrived, in order of arrival, once there are more than can be compared pair by
-- pair: sketches as a byte a place (likeness/sketch.py), what its wrapper and request spans say of it, and its length.
CREATE TABLE readings (
    seq BIGINT NOT NULL, passages BLOB NOT NULL, words BLOB NOT NULL, wrapper BLOB NOT NULL, request BLOB NOT NULL,
    sure FLOAT NOT NULL, wrapped FLOAT NOT NULL, size INTEGER NOT NULL);
