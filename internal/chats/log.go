package chats

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// Log is where one conversation is written to: it is its [conversation.Store], and the [conversation.Shelf] of its large
// results. It is safe for concurrent use.
type Log struct {
	room  *Room
	id    string
	model string

	mu   sync.Mutex
	next int // number of the next entry
}

// ID returns the id of the conversation.
func (l *Log) ID() string { return l.id }

// Model returns the id of the model that the conversation began with.
func (l *Log) Model() string { return l.model }

// Append implements [conversation.Store]. What it is given is kept whole or not at all. When the conversation went on
// elsewhere meanwhile it is a [fault.Conflict]; when it was deleted, [fault.NotFound].
func (l *Log) Append(ctx context.Context, entries []conversation.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	records := make([]string, len(entries))
	for i, e := range entries {
		records[i] = encode(e)
	}
	now := l.room.store.effects.Now().UnixMicro()
	err := l.room.store.db.Write(ctx, func(tx *sqlite.Tx) error {
		if err := l.turn(ctx, tx, entries, now); err != nil {
			return err
		}
		for i, text := range records {
			number := l.next + i
			if _, err := tx.Exec(ctx, "INSERT INTO entry VALUES (?, ?, ?, ?)", l.id, number, entrySum(l.id, number, text), text); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		l.next += len(entries)
	}
	return err
}

// turn makes the row of a new conversation, or takes the turn in one that goes on.
func (l *Log) turn(ctx context.Context, tx *sqlite.Tx, entries []conversation.Entry, now int64) error {
	o := l.room.owner
	if l.next == 0 {
		_, err := tx.Exec(ctx, "INSERT INTO chat VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", l.id, o.Team, o.Agent, o.User, l.model, title(entries), now, now, len(entries))
		return err
	}
	n, err := tx.Exec(ctx, "UPDATE chat SET entries = entries + ?, changed = ? WHERE id = ? AND entries = ? AND team = ? AND agent = ? AND user = ?",
		len(entries), now, l.id, l.next, o.Team, o.Agent, o.User)
	if err != nil || n == 1 {
		return err
	}
	var there int
	if err := tx.Row(ctx, "SELECT entries FROM chat WHERE id = ?", []any{l.id}, &there); err != nil {
		if fault.Is(err, fault.NotFound) {
			return missing(l.id)
		}
		return err
	}
	return fault.Hint(&fault.Error{Op: "chats.append", Resource: l.id, Kind: fault.Conflict, Err: fault.Newf(fault.Conflict, "the conversation went on elsewhere")}, "resume it again")
}

// titleLength is how long a title is at most, in characters.
const titleLength = 80

// title is the first line of the first prompt.
func title(entries []conversation.Entry) string {
	for _, e := range entries {
		if e.Message.Role != llm.User {
			continue
		}
		line, _, _ := strings.Cut(strings.TrimSpace(e.Message.Text()), "\n")
		line = strings.ToValidUTF8(strings.TrimSpace(line), "�")
		if utf8.RuneCountInString(line) > titleLength {
			line = string([]rune(line)[:titleLength-1]) + "…"
		}
		return line
	}
	return ""
}

// Put implements [conversation.Shelf].
func (l *Log) Put(ctx context.Context, text string) (string, error) {
	handle := l.room.store.effects.NewID()
	text = strings.ToValidUTF8(text, "�")
	_, err := l.room.store.db.Exec(ctx, "INSERT INTO result VALUES (?, ?, ?, ?)", l.id, handle, sqlite.Checksum(l.id, handle, text), text)
	return handle, err
}

// Get implements [conversation.Shelf].
func (l *Log) Get(ctx context.Context, handle string) (string, error) {
	var sum int64
	var text string
	err := l.room.store.db.Row(ctx, "SELECT sum, text FROM result WHERE chat = ? AND handle = ?", []any{l.id, handle}, &sum, &text)
	switch {
	case fault.Is(err, fault.NotFound):
		return "", fault.Newf(fault.NotFound, "there is no result with this handle")
	case err != nil:
		return "", err
	case sum != sqlite.Checksum(l.id, handle, text):
		return "", damaged(l.id, "a result")
	}
	return text, nil
}

// entrySum is the checksum of an entry in its place.
func entrySum(chat string, number int, record string) int64 {
	return sqlite.Checksum(chat, strconv.Itoa(number), record)
}
