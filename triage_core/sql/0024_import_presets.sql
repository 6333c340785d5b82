-- How the columns of a file become fields of a report (JSON: {field: column}), kept under a name for the whole desk.
CREATE TABLE import_presets (
    name VARCHAR PRIMARY KEY, columns VARCHAR NOT NULL, saved_at TIMESTAMP NOT NULL, actor_id VARCHAR NOT NULL);
