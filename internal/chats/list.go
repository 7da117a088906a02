package chats

import (
	"context"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/conversation"
)

const columns = "id, team, agent, user, model, title, began, changed, entries"

// MaxList is how many conversations one list holds at most.
const MaxList = 1000

// Find returns what is known of a conversation. One that is not the owner's is [fault.NotFound].
func (r *Room) Find(ctx context.Context, id string) (Chat, error) {
	c, err := r.store.Find(ctx, id)
	if err == nil && c.Owner != r.owner {
		return Chat{}, missing(id)
	}
	return c, err
}

// Find returns what is known of a conversation, whosever it is: it is for operators.
func (s *Store) Find(ctx context.Context, id string) (Chat, error) {
	var r record
	err := s.db.Row(ctx, "SELECT "+columns+" FROM chat WHERE id = ?", []any{id}, r.dest()...)
	if fault.Is(err, fault.NotFound) {
		return Chat{}, missing(id)
	}
	return r.chat(), err
}

// List returns the conversations of the owner, the last one first: those that changed before a time, zero for all.
func (r *Room) List(ctx context.Context, before time.Time, limit int) ([]Chat, error) {
	return r.store.list(ctx, "team = ? AND agent = ? AND user = ?", []any{r.owner.Team, r.owner.Agent, r.owner.User}, before, limit)
}

// List is [Room.List] over all owners, or those with an agent: it is for operators.
func (s *Store) List(ctx context.Context, agent string, before time.Time, limit int) ([]Chat, error) {
	if agent == "" {
		return s.list(ctx, "true", nil, before, limit)
	}
	return s.list(ctx, "agent = ?", []any{agent}, before, limit)
}

func (s *Store) list(ctx context.Context, where string, args []any, before time.Time, limit int) ([]Chat, error) {
	if limit <= 0 || limit > MaxList {
		limit = MaxList
	}
	if !before.IsZero() {
		where, args = where+" AND changed < ?", append(args, before.UnixMicro())
	}
	var out []Chat
	for row, err := range s.db.Rows(ctx, "SELECT "+columns+" FROM chat WHERE "+where+" ORDER BY changed DESC, id LIMIT ?", append(args, limit)...) {
		if err != nil {
			return nil, err
		}
		var r record
		if err := row.Scan(r.dest()...); err != nil {
			return nil, fault.New(fault.Internal, err)
		}
		out = append(out, r.chat())
	}
	return out, nil
}

// record is a row of the table of conversations.
type record struct {
	c              Chat
	began, changed int64 // microseconds
}

func (r *record) dest() []any {
	return []any{&r.c.ID, &r.c.Owner.Team, &r.c.Owner.Agent, &r.c.Owner.User, &r.c.Model, &r.c.Title, &r.began, &r.changed, &r.c.Entries}
}

func (r *record) chat() Chat {
	r.c.Began, r.c.Changed = time.UnixMicro(r.began).UTC(), time.UnixMicro(r.changed).UTC()
	return r.c
}

// Delete deletes a conversation and all that was said in it. One that is not the owner's is [fault.NotFound].
func (r *Room) Delete(ctx context.Context, id string) error {
	n, err := r.store.db.Exec(ctx, "DELETE FROM chat WHERE id = ? AND team = ? AND agent = ? AND user = ?", id, r.owner.Team, r.owner.Agent, r.owner.User)
	if err == nil && n == 0 {
		return missing(id)
	}
	return err
}

// read returns what was said.
func (r *Room) read(ctx context.Context, c Chat) ([]conversation.Entry, error) {
	entries := make([]conversation.Entry, 0, max(min(c.Entries, 1<<10), 0))
	for row, err := range r.store.db.Rows(ctx, "SELECT number, sum, record FROM entry WHERE chat = ? AND number < ? ORDER BY number", c.ID, c.Entries) {
		if err != nil {
			return nil, err
		}
		var number int
		var sum int64
		var text string
		if err := row.Scan(&number, &sum, &text); err != nil {
			return nil, fault.New(fault.Internal, err)
		}
		if number != len(entries) || sum != entrySum(c.ID, number, text) {
			return nil, damaged(c.ID, "an entry")
		}
		e, err := decode(text)
		if err != nil {
			return nil, damaged(c.ID, "an entry")
		}
		entries = append(entries, e)
	}
	if len(entries) != c.Entries {
		return nil, damaged(c.ID, "the list of entries")
	}
	return entries, nil
}
