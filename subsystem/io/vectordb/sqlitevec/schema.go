package sqlitevec

// schema is what the database is today, step by step.
//
// Times are nanoseconds since 1970. Each "sum" is the checksum of the row it stands in, see [namespaceRow.check] and its
// likes; the one of a chunk is about its vector, and "textsum" about its text, so that a search need not read texts. A
// vector is little-endian 32-bit floats. A namespace counts the changes of what is in it. The columns of a chunk that a search reads come first. Numbers of sources and
// chunks are never used again and grow in the order in which sources are put.
func schema() []string {
	return []string{`
CREATE TABLE namespace (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	owner      TEXT    NOT NULL,
	name       TEXT    NOT NULL,
	generation TEXT    NOT NULL,
	model      TEXT    NOT NULL,
	dimensions INTEGER NOT NULL,
	metadata   TEXT    NOT NULL,
	created    INTEGER NOT NULL,
	sum        INTEGER NOT NULL,
	changes    INTEGER NOT NULL DEFAULT 0,
	UNIQUE (owner, name)
) STRICT;

CREATE TABLE source (
	id        INTEGER PRIMARY KEY AUTOINCREMENT,
	namespace INTEGER NOT NULL REFERENCES namespace (id) ON DELETE CASCADE,
	name      TEXT    NOT NULL,
	label     TEXT    NOT NULL,
	metadata  TEXT    NOT NULL,
	size      INTEGER NOT NULL,
	overlap   INTEGER NOT NULL,
	bytes     INTEGER NOT NULL,
	created   INTEGER NOT NULL,
	chunks    TEXT    NOT NULL,
	sum       INTEGER NOT NULL,
	textsum   INTEGER NOT NULL,
	text      TEXT    NOT NULL,
	UNIQUE (namespace, name)
) STRICT;

CREATE TABLE chunk (
	id        INTEGER PRIMARY KEY AUTOINCREMENT,
	namespace INTEGER NOT NULL,
	source    INTEGER NOT NULL REFERENCES source (id) ON DELETE CASCADE,
	place     INTEGER NOT NULL,
	norm      REAL    NOT NULL,
	sum       INTEGER NOT NULL,
	vector    BLOB    NOT NULL,
	textsum   INTEGER NOT NULL,
	text      TEXT    NOT NULL
) STRICT;
CREATE INDEX chunk_namespace ON chunk (namespace);
CREATE INDEX chunk_source ON chunk (source);
`}
}

const (
	namespaceColumns = "id, owner, name, generation, model, dimensions, metadata, created, sum, changes"
	sourceColumns    = "id, namespace, name, label, metadata, size, overlap, bytes, created, chunks, sum"

	// insertNamespace takes all columns but the number.
	insertNamespace = `INSERT INTO namespace (owner, name, generation, model, dimensions, metadata, created, sum)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (owner, name) DO NOTHING`

	selectNamespace = "SELECT " + namespaceColumns + " FROM namespace WHERE owner = ? AND name = ?"

	// listNamespaces takes the owner and the name before.
	listNamespaces = "SELECT " + namespaceColumns + " FROM namespace WHERE owner = ? AND name > ? ORDER BY name"

	deleteNamespace = "DELETE FROM namespace WHERE owner = ? AND name = ? RETURNING id"

	// insertSource takes all columns but the number, which is 0 in the checksum.
	insertSource = `INSERT INTO source (namespace, name, label, metadata, size, overlap, bytes, created, chunks, sum, textsum, text)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`

	// selectSource takes the number of the namespace and the name.
	selectSource = "SELECT " + sourceColumns + ", textsum, text FROM source WHERE namespace = ? AND name = ?"

	// sourceByID takes the number.
	sourceByID = "SELECT " + sourceColumns + " FROM source WHERE id = ?"

	// listSources takes the number of the namespace and the name before.
	listSources = "SELECT " + sourceColumns + " FROM source WHERE namespace = ? AND name > ? ORDER BY name"

	// countChange takes the number of the namespace.
	countChange = "UPDATE namespace SET changes = changes + 1 WHERE id = ?"

	deleteSource = "DELETE FROM source WHERE namespace = ? AND name = ?"

	insertChunk = "INSERT INTO chunk (namespace, source, place, norm, sum, vector, textsum, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

	// selectVectors takes the number of the namespace.
	selectVectors = "SELECT id, source, place, norm, sum, vector FROM chunk WHERE namespace = ? ORDER BY id"

	// selectText takes the number of the chunk.
	selectText = "SELECT textsum, text FROM chunk WHERE id = ?"
)
