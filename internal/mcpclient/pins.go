package mcpclient

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
)

// File is the name of the database of pins in the data folder.
const File = "mcp.db"

// Pin is what is remembered of a tool: the definition that was approved, and the last that was seen.
type Pin struct {
	Owner  string // team, "" for the operator
	Server string
	Tool   string
	Good   Definition // that was approved; with an empty name when none was
	Seen   Definition
	At     time.Time // of the last change
}

// Approved reports whether the tool may be used as it was last seen.
func (p Pin) Approved() bool { return p.Good.Name != "" && p.Good == p.Seen }

// State is a word for people: "approved", "changed" or "new".
func (p Pin) State() string {
	switch {
	case p.Approved():
		return "approved"
	case p.Good.Name == "":
		return "new"
	}
	return "changed"
}

// Pins are the definitions of tools that were approved. It is safe for concurrent use, by several processes too.
type Pins struct {
	db  *sqlite.DB // nil: in memory
	now func() time.Time

	mu     sync.Mutex // of memory
	memory map[[3]string]Pin
}

const schema = `CREATE TABLE pins (
	owner TEXT NOT NULL, server TEXT NOT NULL, tool TEXT NOT NULL,
	approved INTEGER NOT NULL, good_description TEXT NOT NULL, good_schema TEXT NOT NULL,
	seen_description TEXT NOT NULL, seen_schema TEXT NOT NULL, at INTEGER NOT NULL,
	PRIMARY KEY (owner, server, tool)
) STRICT, WITHOUT ROWID`

// maxPins is how many tools of one server are remembered: more are not used.
const maxPins = 1000

// NewPins describes the pins of a data folder. Without a folder they last as long as the program.
func NewPins(folder string, now func() time.Time) (*Pins, error) {
	p := &Pins{now: now, memory: map[[3]string]Pin{}}
	if folder == "" {
		return p, nil
	}
	var err error
	p.db, err = sqlite.New(sqlite.Options{Folder: folder, Name: File, Schema: []string{schema}, Durable: true})
	return p, err
}

// Close closes the database.
func (p *Pins) Close() error {
	if p.db == nil {
		return nil
	}
	return p.db.Close()
}

// Health reports whether the database is well.
func (p *Pins) Health(ctx context.Context) error {
	if p.db == nil {
		return nil
	}
	return p.db.Check(ctx)
}

// Check notes what a server says about its tools now, and returns what is remembered of each, in the same order. With
// firstUse, all that a server says is approved when nothing is remembered of it.
func (p *Pins) Check(ctx context.Context, owner, server string, defs []Definition, firstUse bool) ([]Pin, error) {
	var out []Pin
	err := p.change(ctx, func(t table) error {
		out = out[:0]
		known, err := t.count(owner, server)
		if err != nil {
			return err
		}
		trust := firstUse && known == 0
		for _, d := range defs {
			pin, found, err := t.get(owner, server, d.Name)
			if err != nil {
				return err
			}
			if !found {
				pin = Pin{Owner: owner, Server: server, Tool: d.Name}
				if known++; known > maxPins {
					pin.Seen = d
					out = append(out, pin)
					continue
				}
				if trust {
					pin.Good = d
				}
			}
			if !found || pin.Seen != d {
				pin.Seen, pin.At = d, p.now().UTC().Truncate(time.Second)
				if err := t.put(pin); err != nil {
					return err
				}
			}
			out = append(out, pin)
		}
		return nil
	})
	return out, err
}

// Approve approves tools of a server as they were last seen, all of them when none is named, and returns those that were
// not approved before. A tool that is not known is [fault.NotFound].
func (p *Pins) Approve(ctx context.Context, owner, server string, tools ...string) ([]Pin, error) {
	all, err := p.List(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, pin := range all {
		if pin.Owner == owner && pin.Server == server {
			known[pin.Tool] = true
			if len(tools) == 0 || slices.Contains(tools, pin.Tool) {
				continue
			}
		}
	}
	if len(known) == 0 {
		return nil, fault.Hint(fault.Newf(fault.NotFound, "nothing is known of the MCP server %q", server), "see sre mcp list; a server is known once an agent has used it")
	}
	for _, name := range tools {
		if !known[name] {
			return nil, fault.Newf(fault.NotFound, "the MCP server %q has no tool %q", server, name)
		}
	}
	var done []Pin
	err = p.change(ctx, func(t table) error {
		done = done[:0]
		for _, before := range all {
			if before.Owner != owner || before.Server != server || len(tools) > 0 && !slices.Contains(tools, before.Tool) {
				continue
			}
			pin, found, err := t.get(owner, server, before.Tool)
			if err != nil {
				return err
			}
			if !found || pin.Approved() {
				continue
			}
			if pin.Seen != before.Seen {
				return fault.Hint(fault.Newf(fault.Conflict, "the tool %q has changed while it was approved", pin.Tool), "look at it again")
			}
			pin.Good, pin.At = pin.Seen, p.now().UTC().Truncate(time.Second)
			if err := t.put(pin); err != nil {
				return err
			}
			done = append(done, pin)
		}
		return nil
	})
	return done, err
}

// List returns all that is remembered, by owner, server and tool.
func (p *Pins) List(ctx context.Context) ([]Pin, error) {
	var out []Pin
	if p.db == nil {
		p.mu.Lock()
		for _, pin := range p.memory {
			out = append(out, pin)
		}
		p.mu.Unlock()
	} else if p.db.Exists() {
		for rows, err := range p.db.Rows(ctx, "SELECT owner, server, tool, "+columns+" FROM pins") {
			if err != nil {
				return nil, err
			}
			var pin Pin
			var r record
			if err := rows.Scan(append([]any{&pin.Owner, &pin.Server, &pin.Tool}, r.into()...)...); err != nil {
				return nil, fault.New(fault.Internal, err)
			}
			out = append(out, r.pin(pin))
		}
	}
	slices.SortFunc(out, func(a, b Pin) int {
		return strings.Compare(a.Owner+"\x00"+a.Server+"\x00"+a.Tool, b.Owner+"\x00"+b.Server+"\x00"+b.Tool)
	})
	return out, nil
}

// change calls f with the table; nobody else changes it meanwhile.
func (p *Pins) change(ctx context.Context, f func(table) error) error {
	if p.db == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		return f(inMemory(p.memory))
	}
	return p.db.Write(ctx, func(tx *sqlite.Tx) error { return f(inFile{ctx, tx}) })
}
