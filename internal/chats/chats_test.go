package chats

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := New(dir, effect.System{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func entry(role llm.Role, text string) conversation.Entry {
	return conversation.Entry{ID: "msg_" + text, Message: llm.Say(role, text), At: time.Unix(1, 2).UTC()}
}

func ada() Owner { return Owner{Team: "t1", Agent: "a1", User: "ada"} }

func TestLog_GoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	log := s.Of(ada()).Begin("model-1")
	if list, err := s.Of(ada()).List(t.Context(), time.Time{}, 0); err != nil || len(list) != 0 {
		t.Errorf("a conversation without a prompt is listed: %v, %v", list, err)
	}
	said := []conversation.Entry{entry(llm.User, "  hello\nworld"), entry(llm.Assistant, "hi")}
	for _, e := range said {
		if err := log.Append(t.Context(), []conversation.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	again, entries, err := s.Of(ada()).Resume(t.Context(), log.ID())
	if err != nil || !reflect.DeepEqual(entries, said) || again.Model() != "model-1" {
		t.Fatalf("Resume() = %v, %+v, %v, want what was said", again, entries, err)
	}
	more := []conversation.Entry{entry(llm.User, "more"), entry(llm.Assistant, "yes")}
	if err := again.Append(t.Context(), more); err != nil {
		t.Fatal(err)
	}
	chat, err := s.Of(ada()).Find(t.Context(), log.ID())
	if err != nil || chat.Title != "hello" || chat.Entries != 4 || chat.Changed.Before(chat.Began) {
		t.Errorf("Find() = %+v, %v, want 4 entries and a title", chat, err)
	}
}

// A conversation is there for its user, team and agent only: everybody else is told what they are told of no conversation.
func TestRoom_IsTheOwners(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	log := s.Of(ada()).Begin("m")
	if err := log.Append(t.Context(), []conversation.Entry{entry(llm.User, "secret")}); err != nil {
		t.Fatal(err)
	}
	none := func(r *Room, id string) string {
		_, find := r.Find(t.Context(), id)
		_, _, resume := r.Resume(t.Context(), id)
		remove := r.Delete(t.Context(), id)
		for _, err := range []error{find, resume, remove} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("error = %v, want %v", err, fault.NotFound)
			}
		}
		return strings.ReplaceAll(fmt.Sprint(find, resume, remove), id, "ID")
	}
	for _, o := range []Owner{{"t2", "a1", "ada"}, {"t1", "a2", "ada"}, {"t1", "a1", "eve"}, {"t1", "a1", ""}, {}} {
		r := s.Of(o)
		if got, want := none(r, log.ID()), none(r, "conv_none"); got != want {
			t.Errorf("%+v is told %q, want %q", o, got, want)
		}
		if list, err := r.List(t.Context(), time.Time{}, 0); err != nil || len(list) != 0 {
			t.Errorf("%+v lists %v, %v, want nothing", o, list, err)
		}
	}
	if _, err := s.Of(ada()).Find(t.Context(), log.ID()); err != nil {
		t.Errorf("the owner is told %v", err)
	}
}

func TestRoom_ListsTheLastFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := New(dir, effect.System{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		room := s.Of(ada())
		var ids []string
		for i := range 5 {
			log := room.Begin("m")
			if err := log.Append(t.Context(), []conversation.Entry{entry(llm.User, fmt.Sprint(i))}); err != nil {
				t.Fatal(err)
			}
			ids = append([]string{log.ID()}, ids...)
			time.Sleep(time.Second)
		}
		var got []string
		var before time.Time
		for {
			page, err := room.List(t.Context(), before, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, c := range page {
				got = append(got, c.ID)
			}
			before = page[len(page)-1].Changed
		}
		if !slices.Equal(got, ids) {
			t.Errorf("pages = %v, want %v", got, ids)
		}
	})
}

// Two that go on with the same conversation at once: what was said stays in order, and one of them is told.
func TestLog_TwoAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	room := s.Of(ada())
	first := room.Begin("m")
	if err := first.Append(t.Context(), []conversation.Entry{entry(llm.User, "begin")}); err != nil {
		t.Fatal(err)
	}
	const others = 4
	logs := make([]*Log, others) // all of them know the first entry and nothing after it
	for i := range logs {
		log, _, err := room.Resume(t.Context(), first.ID())
		if err != nil {
			t.Fatal(err)
		}
		logs[i] = log
	}
	var wg sync.WaitGroup
	errs := make([]error, others)
	for i, log := range logs {
		wg.Go(func() { errs[i] = log.Append(t.Context(), []conversation.Entry{entry(llm.Assistant, fmt.Sprint(i))}) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !fault.Is(err, fault.Conflict) {
			t.Errorf("error = %v, want %v", err, fault.Conflict)
		}
	}
	_, entries, err := room.Resume(t.Context(), first.ID())
	if won != 1 || err != nil || len(entries) != 2 {
		t.Errorf("%d went on, there are %d entries, %v, want 1 and 2", won, len(entries), err)
	}
}

func TestLog_Deleted(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	room := s.Of(ada())
	log := room.Begin("m")
	if err := log.Append(t.Context(), []conversation.Entry{entry(llm.User, "begin")}); err != nil {
		t.Fatal(err)
	}
	handle, err := log.Put(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := log.Get(t.Context(), handle); err != nil || got != "large" {
		t.Errorf("Get() = %q, %v, want the text", got, err)
	}
	other := room.Begin("m")
	if _, err := other.Get(t.Context(), handle); !fault.Is(err, fault.NotFound) {
		t.Errorf("another conversation reads %v, want %v", err, fault.NotFound)
	}
	if err := room.Delete(t.Context(), log.ID()); err != nil {
		t.Fatal(err)
	}
	if err := log.Append(t.Context(), []conversation.Entry{entry(llm.User, "more")}); !fault.Is(err, fault.NotFound) {
		t.Errorf("Append = %v, want %v", err, fault.NotFound)
	}
	if _, err := log.Get(t.Context(), handle); !fault.Is(err, fault.NotFound) {
		t.Errorf("Get = %v, want %v", err, fault.NotFound)
	}
	if _, err := log.Put(t.Context(), "x"); err == nil {
		t.Error("a result is kept of a conversation that was deleted")
	}
}

// Damage is named, and never taken for something that was said.
func TestF06_Damaged(t *testing.T) {
	t.Parallel()
	for _, damage := range []string{
		"UPDATE entry SET record = replace(record, 'begin', 'begun') WHERE number = 0",
		"UPDATE entry SET sum = sum + 1 WHERE number = 1",
		"DELETE FROM entry WHERE number = 0",
		"DELETE FROM entry WHERE number = 1",
		"UPDATE chat SET entries = 3",
		"UPDATE entry SET number = 7 WHERE number = 1",
	} {
		s := open(t, t.TempDir())
		room := s.Of(ada())
		log := room.Begin("m")
		if err := log.Append(t.Context(), []conversation.Entry{entry(llm.User, "begin"), entry(llm.Assistant, "end")}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.db.Exec(t.Context(), damage); err != nil {
			t.Fatal(err)
		}
		if _, entries, err := room.Resume(t.Context(), log.ID()); fault.CodeOf(err) != CodeDamaged {
			t.Errorf("%s: Resume() = %v, %v, want %s", damage, entries, err, CodeDamaged)
		}
		if err := room.Delete(t.Context(), log.ID()); err != nil {
			t.Errorf("%s: Delete: %v", damage, err)
		}
	}
}

// A disk that is full loses nothing that was kept, and the conversation goes on when there is room again.
func TestF04_FullDisk(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	room := s.Of(ada())
	log := room.Begin("m")
	if err := log.Append(t.Context(), []conversation.Entry{entry(llm.User, "begin")}); err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		t.Helper()
		if err := s.db.Write(t.Context(), func(tx *sqlite.Tx) error {
			var n int
			return tx.Row(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages), nil, &n)
		}); err != nil {
			t.Fatal(err)
		}
	}
	limit(1)
	long := entry(llm.Assistant, strings.Repeat("x", 1<<20))
	if err := log.Append(t.Context(), []conversation.Entry{long}); err == nil {
		t.Fatal("an entry was kept on a full disk")
	}
	limit(1 << 20)
	if err := log.Append(t.Context(), []conversation.Entry{long}); err != nil {
		t.Fatal(err)
	}
	if _, entries, err := room.Resume(t.Context(), log.ID()); err != nil || len(entries) != 2 {
		t.Errorf("%d entries, %v, want 2", len(entries), err)
	}
}

func TestStore_NoTraceBeforeUse(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	s := open(t, dir)
	s.Of(ada()).Begin("m")
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("there is a folder before anything was said")
	}
}

func TestLog_CanceledAppend(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	log := s.Of(ada()).Begin("m")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := log.Append(ctx, []conversation.Entry{entry(llm.User, "x")}); err == nil {
		t.Error("a canceled append was done")
	}
	if err := log.Append(t.Context(), []conversation.Entry{entry(llm.User, "x")}); err != nil {
		t.Error(err)
	}
}
