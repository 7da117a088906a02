package sqlitecache

// schema is what the database is today, step by step.
//
// Times are nanoseconds since 1970, 0 for never. "rights" and "content" are checksums of what a column stands beside, see
// [rightsSum] and [contentSum]. Triggers keep the books: what each maker's entries take, and under the name "" what all
// do. The value comes last, so that reading what is before it need not read it.
func schema() []string {
	return []string{`
CREATE TABLE entry (
	id         INTEGER PRIMARY KEY,
	key        TEXT    NOT NULL UNIQUE,
	generation TEXT    NOT NULL,
	acl        TEXT    NOT NULL,
	rights     INTEGER NOT NULL,
	expires    INTEGER NOT NULL,
	content    INTEGER NOT NULL,
	maker      TEXT    NOT NULL,
	written    INTEGER NOT NULL,
	size       INTEGER NOT NULL,
	metadata   TEXT    NOT NULL,
	value      TEXT    NOT NULL
) STRICT;
CREATE INDEX entry_expires ON entry (expires) WHERE expires <> 0;
CREATE INDEX entry_maker ON entry (maker, written);

CREATE TABLE holder (
	maker TEXT    PRIMARY KEY,
	bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX holder_bytes ON holder (bytes);

CREATE TRIGGER entry_made AFTER INSERT ON entry BEGIN
	INSERT INTO holder (maker, bytes) VALUES (new.maker, new.size), ('', new.size)
		ON CONFLICT (maker) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER entry_gone AFTER DELETE ON entry BEGIN
	UPDATE holder SET bytes = bytes - old.size WHERE maker IN (old.maker, '');
	DELETE FROM holder WHERE maker = old.maker AND bytes <= 0;
END;
CREATE TRIGGER entry_changed AFTER UPDATE OF size, maker ON entry WHEN old.size <> new.size OR old.maker <> new.maker BEGIN
	UPDATE holder SET bytes = bytes - old.size WHERE maker IN (old.maker, '');
	INSERT INTO holder (maker, bytes) VALUES (new.maker, new.size), ('', new.size)
		ON CONFLICT (maker) DO UPDATE SET bytes = bytes + excluded.bytes;
	DELETE FROM holder WHERE maker = old.maker AND bytes <= 0;
END;
`}
}

// Statements. An entry is alive while its time has not passed; the last parameters of a condition are key, generation and
// now, where it has them.
const (
	selectRuling = "SELECT generation, acl, rights, expires FROM entry WHERE key = ?"

	selectEntry = "SELECT expires, content, metadata, value FROM entry WHERE key = ? AND generation = ?"

	insertEntry = `INSERT INTO entry (key, generation, acl, rights, expires, content, maker, written, size, metadata, value)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET generation = excluded.generation, acl = excluded.acl, rights = excluded.rights,
			expires = excluded.expires, content = excluded.content, maker = excluded.maker, written = excluded.written,
			size = excluded.size, metadata = excluded.metadata, value = excluded.value
		WHERE entry.expires <> 0 AND entry.expires <= ?`

	updateEntry = `UPDATE entry SET acl = ?, rights = ?, expires = ?, content = ?, written = ?, size = ?, metadata = ?, value = ?
		WHERE key = ? AND generation = ? AND (expires = 0 OR expires > ?)`

	amendEntry = `UPDATE entry SET expires = ?, content = ?, size = size + ?, metadata = ?
		WHERE key = ? AND generation = ? AND (expires = 0 OR expires > ?)`

	updateACL = `UPDATE entry SET generation = ?, rights = ?, size = size + ? - octet_length(acl), acl = ?
		WHERE key = ? AND generation = ? AND (expires = 0 OR expires > ?)`

	deleteEntry = "DELETE FROM entry WHERE key = ? AND generation = ? AND (expires = 0 OR expires > ?)"

	deleteExpired = "DELETE FROM entry WHERE key = ? AND expires <> 0 AND expires <= ?"

	// sweepExpired takes now and how many at most.
	sweepExpired = `DELETE FROM entry WHERE id IN
		(SELECT id FROM entry WHERE expires <> 0 AND expires <= ? ORDER BY expires LIMIT ?)`

	selectUsed = "SELECT bytes FROM holder WHERE maker = ''"

	selectMost = "SELECT maker FROM holder WHERE maker <> '' ORDER BY bytes DESC, maker LIMIT 1 OFFSET ?"

	// deleteOldest takes a maker, and a key that stays.
	deleteOldest = `DELETE FROM entry WHERE id =
		(SELECT id FROM entry WHERE maker = ? AND key <> ? ORDER BY written LIMIT 1)`
)
