// Package ledger keeps what models were used for: tokens by kind and money, by day, team, agent and model.
//
// It is an embedded database in the data folder that appears with the first call of a model. A row is a day of one agent
// with one model, so it stays small however much is asked.
package ledger

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/budget"
	"github.com/sre-go/sre/internal/sqlite"
)

// File is the name of the database in the data folder.
const File = "usage.db"

// Ledger is the database. It is safe for concurrent use.
type Ledger struct {
	db *sqlite.DB

	turn sync.Mutex // held while a batch is written
	mu   sync.Mutex
	next *batch // that calls may still join
}

// batch are calls that are written in one transaction, by the one who came first.
type batch struct {
	entries []Entry
	done    chan struct{}
	err     error
}

// Counts are what was used, in tokens, but for calls, images and searches.
type Counts struct {
	Calls, Input, CacheRead, CacheWrite, Output, Thinking, Images, Searches int64

	Micros    int64 // what it cost, in millionths of a US dollar
	Unpriced  int64 // calls whose price is not known: they count as the dearest
	Estimated int64 // calls whose use is an estimate
}

// Entry is one call.
type Entry struct {
	At                           time.Time
	Team, Agent, Model, Provider string
	Own                          bool // with the team's key, not the operator's
	Counts
}

const schema = `CREATE TABLE used (
	day TEXT NOT NULL, team TEXT NOT NULL, agent TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, own INTEGER NOT NULL,
	calls INTEGER NOT NULL, input INTEGER NOT NULL, cache_read INTEGER NOT NULL, cache_write INTEGER NOT NULL, output INTEGER NOT NULL,
	thinking INTEGER NOT NULL, images INTEGER NOT NULL, searches INTEGER NOT NULL, micros INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL,
	PRIMARY KEY (day, team, agent, model, provider, own)
) STRICT, WITHOUT ROWID`

const insert = `INSERT INTO used VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
	calls = calls + excluded.calls, input = input + excluded.input, cache_read = cache_read + excluded.cache_read,
	cache_write = cache_write + excluded.cache_write, output = output + excluded.output, thinking = thinking + excluded.thinking,
	images = images + excluded.images, searches = searches + excluded.searches, micros = micros + excluded.micros,
	unpriced = unpriced + excluded.unpriced, estimated = estimated + excluded.estimated`

const sums = `coalesce(sum(calls), 0), coalesce(sum(input), 0), coalesce(sum(cache_read), 0), coalesce(sum(cache_write), 0), coalesce(sum(output), 0),
	coalesce(sum(thinking), 0), coalesce(sum(images), 0), coalesce(sum(searches), 0), coalesce(sum(micros), 0), coalesce(sum(unpriced), 0), coalesce(sum(estimated), 0)`

// New describes the ledger of a data folder.
func New(folder string) (*Ledger, error) {
	db, err := sqlite.New(sqlite.Options{Folder: folder, Name: File, Schema: []string{schema}, Durable: true})
	if err != nil {
		return nil, err
	}
	return &Ledger{db: db}, nil
}

// Close closes the database.
func (l *Ledger) Close() error { return l.db.Close() }

// Check reports whether the database is well; for readiness.
func (l *Ledger) Check(ctx context.Context) error { return l.db.Check(ctx) }

// Note adds a call, and returns when it is on the disk. Calls that are noted while others are being written are written
// together, so many at once cost little more than one.
func (l *Ledger) Note(ctx context.Context, e Entry) error {
	l.mu.Lock()
	b := l.next
	first := b == nil
	if first {
		b = &batch{done: make(chan struct{})}
		l.next = b
	}
	b.entries = append(b.entries, e)
	l.mu.Unlock()
	if !first {
		<-b.done // its writer waits for nobody but the disk
		return b.err
	}
	l.turn.Lock()
	l.mu.Lock()
	l.next = nil
	l.mu.Unlock()
	b.err = l.write(context.WithoutCancel(ctx), b.entries) // it is not for its first one alone
	l.turn.Unlock()
	close(b.done)
	return b.err
}

func (l *Ledger) write(ctx context.Context, entries []Entry) error {
	entries = together(entries)
	return l.db.Write(ctx, func(tx *sqlite.Tx) error {
		for i := range entries {
			e := &entries[i]
			own := 0
			if e.Own {
				own = 1
			}
			if _, err := tx.Exec(ctx, insert, dayOf(e.At), e.Team, e.Agent, e.Model, e.Provider, own, e.Calls, e.Input, e.CacheRead, e.CacheWrite, e.Output,
				e.Thinking, e.Images, e.Searches, e.Micros, e.Unpriced, e.Estimated); err != nil {
				return err
			}
		}
		return nil
	})
}

// together adds up the calls that are of one row. Of many at once most are.
func together(entries []Entry) []Entry {
	type row struct {
		day                          int64
		team, agent, model, provider string
		own                          bool
	}
	at := make(map[row]int, 1)
	out := entries[:0]
	for _, e := range entries {
		r := row{e.At.Unix() / secondsPerDay, e.Team, e.Agent, e.Model, e.Provider, e.Own}
		i, known := at[r]
		if !known {
			at[r] = len(out)
			out = append(out, e)
			continue
		}
		out[i].add(e.Counts)
	}
	return out
}

// secondsPerDay is the length of a day in UTC.
const secondsPerDay = 24 * 60 * 60

func (c *Counts) add(more Counts) {
	c.Calls += more.Calls
	c.Input += more.Input
	c.CacheRead += more.CacheRead
	c.CacheWrite += more.CacheWrite
	c.Output += more.Output
	c.Thinking += more.Thinking
	c.Images += more.Images
	c.Searches += more.Searches
	c.Micros += more.Micros
	c.Unpriced += more.Unpriced
	c.Estimated += more.Estimated
}

// dayOf is a day in UTC, in an order that texts have.
func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Query selects rows and says how to add them up.
type Query struct {
	Since, Until       time.Time // days, both counted; zero for no bound
	Team, Agent, Model string    // "" for all
	By                 []string  // of Columns, in order; none gives one row
}

// Columns are what rows can be added up by.
func Columns() []string { return []string{"day", "team", "agent", "model", "provider"} }

// Row is one line of an answer.
type Row struct {
	By []string // the values of Query.By
	Counts
}

// Sum adds up what was used.
func (l *Ledger) Sum(ctx context.Context, q Query) ([]Row, error) {
	for _, c := range q.By {
		if !strings.Contains(" "+strings.Join(Columns(), " ")+" ", " "+c+" ") {
			return nil, fault.Hint(fault.Newf(fault.Invalid, "usage cannot be added up by %q", c), "use %s", strings.Join(Columns(), ", "))
		}
	}
	var where []string
	var args []any
	add := func(clause string, set bool, arg any) {
		if set {
			where, args = append(where, clause), append(args, arg)
		}
	}
	add("day >= ?", !q.Since.IsZero(), dayOf(q.Since))
	add("day <= ?", !q.Until.IsZero(), dayOf(q.Until))
	add("team = ?", q.Team != "", q.Team)
	add("agent = ?", q.Agent != "", q.Agent)
	add("model = ?", q.Model != "", q.Model)
	text := "SELECT " + strings.Join(append(append([]string(nil), q.By...), sums), ", ") + " FROM used"
	if len(where) > 0 {
		text += " WHERE " + strings.Join(where, " AND ")
	}
	if len(q.By) > 0 {
		by := strings.Join(q.By, ", ")
		text += " GROUP BY " + by + " ORDER BY " + by
	}
	var out []Row
	for rows, err := range l.db.Rows(ctx, text, args...) {
		if err != nil {
			return nil, err
		}
		r := Row{By: make([]string, len(q.By))}
		into := make([]any, 0, len(q.By)+11)
		for i := range r.By {
			into = append(into, &r.By[i])
		}
		into = append(into, &r.Calls, &r.Input, &r.CacheRead, &r.CacheWrite, &r.Output, &r.Thinking, &r.Images, &r.Searches, &r.Micros, &r.Unpriced, &r.Estimated)
		if err := rows.Scan(into...); err != nil {
			return nil, fault.New(fault.Internal, err)
		}
		out = append(out, r)
	}
	return out, nil
}

// Amount returns what was used of a budget: all tokens together, money and calls.
func (c Counts) Amount() budget.Amount {
	return budget.Amount{Tokens: c.Input + c.CacheRead + c.CacheWrite + c.Output, Micros: c.Micros, Calls: c.Calls}
}
