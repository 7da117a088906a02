// Package chats keeps conversations, so that they can be listed, gone on with after a restart, and deleted.
//
// It is an embedded database in the data folder that appears with the first prompt. A conversation belongs to a user of
// a team who talks to an agent; for everybody else it does not exist. Its id comes from the runtime and is unguessable.
// Entries are only ever appended, each in its turn: two who go on with the same conversation at once cannot mix theirs,
// the second is told that it went on elsewhere. Every row has a checksum of all of itself.
package chats

import (
	"context"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/internal/sqlite"
)

// File is the name of the database in the data folder.
const File = "chats.db"

// CodeDamaged is the code of the error that a record is not what was written.
const CodeDamaged = "RECORD_DAMAGED"

const schema = `
CREATE TABLE chat (
	id TEXT NOT NULL PRIMARY KEY, team TEXT NOT NULL, agent TEXT NOT NULL, user TEXT NOT NULL, model TEXT NOT NULL, title TEXT NOT NULL,
	began INTEGER NOT NULL, changed INTEGER NOT NULL, entries INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_of ON chat (team, agent, user, changed DESC, id);
CREATE TABLE entry (
	chat TEXT NOT NULL REFERENCES chat ON DELETE CASCADE, number INTEGER NOT NULL, sum INTEGER NOT NULL, record TEXT NOT NULL,
	PRIMARY KEY (chat, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE result (
	chat TEXT NOT NULL REFERENCES chat ON DELETE CASCADE, handle TEXT NOT NULL, sum INTEGER NOT NULL, text TEXT NOT NULL,
	PRIMARY KEY (chat, handle)
) STRICT, WITHOUT ROWID`

// Store is the database. It is safe for concurrent use.
type Store struct {
	db      *sqlite.DB
	effects effect.Source
}

// New describes the store of a data folder without opening it.
func New(folder string, effects effect.Source) (*Store, error) {
	db, err := sqlite.New(sqlite.Options{Folder: folder, Name: File, Schema: []string{schema}, Durable: true})
	if err != nil {
		return nil, err
	}
	return &Store{db, effects}, nil
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Check reports whether the database is well; for readiness.
func (s *Store) Check(ctx context.Context) error { return s.db.Check(ctx) }

// Owner is whose conversations are meant: those of a user of a team with an agent.
type Owner struct{ Team, Agent, User string }

// Chat is what is known of a conversation without reading it.
type Chat struct {
	ID      string
	Owner   Owner
	Model   string // that was asked first
	Title   string // the beginning of the first prompt
	Began   time.Time
	Changed time.Time
	Entries int
}

// Room is the conversations of one owner. It is safe for concurrent use.
type Room struct {
	store *Store
	owner Owner
}

// Of returns the conversations of an owner.
func (s *Store) Of(o Owner) *Room { return &Room{s, o} }

// Begin returns the log of a new conversation, with a new id. It is kept from its first entry on.
func (r *Room) Begin(model string) *Log {
	return &Log{room: r, id: "conv_" + r.store.effects.NewID(), model: model}
}

// Resume returns the log of a conversation and what was said in it so far. One that is not the owner's is
// [fault.NotFound].
func (r *Room) Resume(ctx context.Context, id string) (*Log, []conversation.Entry, error) {
	chat, err := r.Find(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	l := &Log{room: r, id: id, model: chat.Model, next: chat.Entries}
	entries, err := r.read(ctx, chat)
	return l, entries, err
}

// missing is the answer about a conversation that is not there, or not the owner's.
func missing(id string) error {
	return &fault.Error{Op: "chats.find", Resource: id, Kind: fault.NotFound, Hint: "`sre chat list` shows the conversations with an agent"}
}

func damaged(id, what string) error {
	return &fault.Error{Op: "chats.read", Resource: id, Kind: fault.Internal, Code: CodeDamaged, Err: fault.Newf(fault.Internal, "%s is damaged", what), Hint: "delete the conversation, or restore " + File + " from a backup"}
}
