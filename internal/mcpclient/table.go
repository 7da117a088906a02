package mcpclient

import (
	"context"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
)

// table is where pins are while they are being changed.
type table interface {
	count(owner, server string) (int, error)
	get(owner, server, tool string) (Pin, bool, error)
	put(Pin) error
}

// inMemory is a table of a program without a data folder.
type inMemory map[[3]string]Pin

func (m inMemory) count(owner, server string) (int, error) {
	n := 0
	for key := range m {
		if key[0] == owner && key[1] == server {
			n++
		}
	}
	return n, nil
}

func (m inMemory) get(owner, server, tool string) (Pin, bool, error) {
	p, ok := m[[3]string{owner, server, tool}]
	return p, ok, nil
}

func (m inMemory) put(p Pin) error {
	m[[3]string{p.Owner, p.Server, p.Tool}] = p
	return nil
}

// inFile is a table in the database.
type inFile struct {
	ctx context.Context
	tx  *sqlite.Tx
}

const columns = "approved, good_description, good_schema, seen_description, seen_schema, at"

// record is a row without its key.
type record struct {
	approved   int
	good, seen Definition
	at         int64
}

func (r *record) into() []any {
	return []any{&r.approved, &r.good.Description, &r.good.Schema, &r.seen.Description, &r.seen.Schema, &r.at}
}

func (r *record) pin(p Pin) Pin {
	p.Seen, p.At = r.seen, time.Unix(r.at, 0).UTC()
	p.Seen.Name = p.Tool
	if r.approved != 0 {
		p.Good = r.good
		p.Good.Name = p.Tool
	}
	return p
}

func (t inFile) count(owner, server string) (n int, err error) {
	err = t.tx.Row(t.ctx, "SELECT count(*) FROM pins WHERE owner = ? AND server = ?", []any{owner, server}, &n)
	return n, err
}

func (t inFile) get(owner, server, tool string) (Pin, bool, error) {
	var r record
	err := t.tx.Row(t.ctx, "SELECT "+columns+" FROM pins WHERE owner = ? AND server = ? AND tool = ?", []any{owner, server, tool}, r.into()...)
	if fault.Is(err, fault.NotFound) {
		return Pin{}, false, nil
	}
	return r.pin(Pin{Owner: owner, Server: server, Tool: tool}), err == nil, err
}

func (t inFile) put(p Pin) error {
	approved := 0
	if p.Good.Name != "" {
		approved = 1
	}
	_, err := t.tx.Exec(t.ctx, "INSERT OR REPLACE INTO pins (owner, server, tool, "+columns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		p.Owner, p.Server, p.Tool, approved, p.Good.Description, p.Good.Schema, p.Seen.Description, p.Seen.Schema, p.At.Unix())
	return err
}
