package sqlitestorage

// schema is what the database is today, step by step.
//
// Times are nanoseconds since 1970, 0 for never. "rights" and "content" are checksums, see [row]. A chunk has the number of
// its blob and its own in its id, see [chunkID]. "loose" lists the blobs that belong to no object: those that are being
// written and, since their object was replaced or removed, those whose chunks can go. Numbers of blobs are never used
// again.
func schema() []string {
	return []string{`
CREATE TABLE object (
	id         INTEGER PRIMARY KEY,
	name       TEXT    NOT NULL UNIQUE,
	generation TEXT    NOT NULL,
	acl        TEXT    NOT NULL,
	rights     INTEGER NOT NULL,
	expires    INTEGER NOT NULL,
	modified   INTEGER NOT NULL,
	size       INTEGER NOT NULL,
	blob       INTEGER NOT NULL,
	metadata   TEXT    NOT NULL,
	content    INTEGER NOT NULL
) STRICT;
CREATE INDEX object_expires ON object (expires) WHERE expires <> 0;

CREATE TABLE chunk (
	id   INTEGER PRIMARY KEY,
	sum  INTEGER NOT NULL,
	data BLOB    NOT NULL
) STRICT;

CREATE TABLE loose (
	blob    INTEGER PRIMARY KEY,
	writing INTEGER NOT NULL,
	since   INTEGER NOT NULL,
	sum     INTEGER NOT NULL
) STRICT;

CREATE TABLE counter (last INTEGER NOT NULL) STRICT;
INSERT INTO counter (last) VALUES (0);
`}
}

// columns are those that [row] reads, in its order.
const columns = "name, generation, acl, rights, expires, modified, size, blob, metadata, content"

const (
	selectObject = "SELECT " + columns + " FROM object WHERE name = ?"

	// selectPart takes the number of a chunk and a name: the object and that chunk of it, when it has one.
	selectPart = `SELECT name, generation, acl, rights, expires, modified, size, blob, metadata, content, sum, data
		FROM object LEFT JOIN chunk ON chunk.id = (object.blob << 20) + ? WHERE name = ?`

	// listObjects takes what names begin with or come after, the name before, and how many at most.
	listObjects = "SELECT " + columns + " FROM object WHERE name >= ? AND name > ? ORDER BY name LIMIT ?"

	// insertObject and updateObject change nothing when something came in between.
	insertObject = "INSERT INTO object (" + columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING"

	// updateObject takes all columns, then those of the object it replaces: name, generation, blob and content.
	updateObject = `UPDATE object SET (` + columns + `) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		WHERE name = ? AND generation = ? AND blob = ? AND content = ?`

	deleteObject = "DELETE FROM object WHERE name = ?"

	// selectExpired takes now and the name before.
	selectExpired = "SELECT " + columns + " FROM object WHERE expires <> 0 AND expires <= ? AND name > ? ORDER BY name LIMIT 1"

	// reserveBlobs takes how many. The numbers of chunks that are there are never given again, whatever the counter says.
	reserveBlobs = "UPDATE counter SET last = max(last, coalesce((SELECT max(id) FROM chunk), 0) >> 20) + ? RETURNING last"

	insertChunk = "INSERT INTO chunk (id, sum, data) VALUES (?, ?, ?)"

	selectChunk = "SELECT sum, data FROM chunk WHERE id = ?"

	// deleteBlob takes the first id and the one behind the last.
	deleteBlob = "DELETE FROM chunk WHERE id >= ? AND id < ?"

	// deleteChunks takes the first id, the one behind the last, and how many at most.
	deleteChunks = "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE id >= ? AND id < ? ORDER BY id LIMIT ?)"

	insertLoose = `INSERT INTO loose (blob, writing, since, sum) VALUES (?, ?, ?, ?)
		ON CONFLICT (blob) DO UPDATE SET writing = excluded.writing, since = excluded.since, sum = excluded.sum`

	deleteLoose = "DELETE FROM loose WHERE blob = ?"

	// nextLoose takes the blob before and the time from which a blob that is still written is taken for left behind.
	nextLoose = "SELECT blob, writing, since, sum FROM loose WHERE blob > ? AND (writing = 0 OR since < ?) ORDER BY blob LIMIT 1"
)
