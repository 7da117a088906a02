package audit

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

func TestRecord(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data", "audit")
	l := New(options(dir))
	if err := l.Check(t.Context()); err != nil {
		t.Errorf("Check before the first record = %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder is there before the first record")
	}
	ctx := access.WithActing(t.Context(), access.Acting{Candidate: agentA(t), Team: "red", Run: "run-1"})
	if err := l.Record(ctx, read(t, "key")); err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), denied(t, "a\nb\x00\u2028"+strings.Repeat("ä", 2000))); err != nil {
		t.Fatal(err)
	}
	got := entries(t, dir)
	if len(got) != 2 {
		t.Fatalf("%d records right after Record, want 2", len(got))
	}
	want := Entry{Seq: 1, Time: got[0].Time, Who: "agent:a1", Team: "red", Operation: "vault.get", Level: "read", Resource: "red/key", Rule: "team", Allowed: true, Run: "run-1", Prev: zero, Hash: got[0].Hash}
	if got[0] != want {
		t.Errorf("record is %+v, want %+v", got[0], want)
	}
	if e := got[1]; e.Prev != got[0].Hash || e.Allowed || e.Team != "" || e.Run != "" || len(e.Resource) > maxText || !strings.HasPrefix(e.Resource, "a\nb\x00\u2028ää") || time.Since(e.Time) > time.Minute {
		t.Errorf("second record is %+v", e)
	}
	closeLog(t, l)
	closeLog(t, l)
	if err := l.Record(t.Context(), read(t, "late")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Record after Close = %v, want UNAVAILABLE", err)
	}
	sound(t, dir, 2)
	for _, name := range files(t, dir) {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v, %v, want 0600", name, info.Mode(), err)
		}
	}
}

// The line is as documented: whoever checks it with other tools must find the same.
func TestLine(t *testing.T) {
	t.Parallel()
	e := Entry{Seq: 7, Time: time.Unix(1_700_000_000, 120_000), Who: "agent:a1", Team: "red", Operation: "vault.get", Level: "read", Resource: "red/\"k\"", Rule: "team", Allowed: true, Run: "r", Prev: zero}
	const before = `{"seq":7,"time":"2023-11-14T22:13:20.000120Z","who":"agent:a1","team":"red","operation":"vault.get","level":"read","resource":"red/\"k\"","rule":"team","allowed":true,"run":"r","prev":"` + zero + `"`
	if got, want := string(e.seal()), before+`,"hash":"`+digest([]byte(before))+"\"}\n"; got != want {
		t.Errorf("line is\n%s, want\n%s", got, want)
	}
}

func TestRecord_ContinuesAfterRestart(t *testing.T) {
	t.Parallel()
	dir := filled(t, 3)
	l := New(options(dir))
	record(t, l, read(t, "next"))
	closeLog(t, l)
	if rep := sound(t, dir, 4); len(rep.Notes) != 0 || rep.Files != 1 {
		t.Errorf("notes %v in %d files, want none in one", rep.Notes, rep.Files)
	}
}

// TestR6_DenialsLeaveOneRecord: what the bus tells is refused is recorded once; what is allowed is not recorded by it.
func TestR6_DenialsLeaveOneRecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, bus := New(options(dir)), &event.Bus{}
	l.Listen(bus)
	event.Publish(t.Context(), bus, denied(t, "secret-place"))
	event.Publish(t.Context(), bus, read(t, "allowed"))
	ctx := access.WithActing(t.Context(), access.Acting{Candidate: agentA(t), Team: "red", Run: "run-1"})
	event.Publish(ctx, bus, access.Decision{Operation: "egress", Level: "connect", Resource: "http://169.254.169.254", Rule: "link-local"})
	closeLog(t, l)
	event.Publish(t.Context(), bus, denied(t, "late"))
	got := entries(t, dir)
	if len(got) != 2 || got[0].Resource != "secret-place" || got[1].Who != "agent:a1" || got[1].Run != "run-1" || got[1].Team != "red" {
		t.Errorf("records are %+v, want the two refusals with who acted", got)
	}
}

// TestT29_NoSecretInTheAudit: names of resources that hold a secret are recorded without it.
func TestT29_NoSecretInTheAudit(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir())
	o.Secrets = &secret.Registry{}
	o.Secrets.Note("red", secret.New("canary-0123456789"))
	l := New(o)
	record(t, l, access.Decision{Operation: "egress", Resource: "https://h.test/?key=canary-0123456789&x=Y2FuYXJ5LTAxMjM0NTY3ODk"})
	closeLog(t, l)
	if got := entries(t, o.Folder)[0].Resource; strings.Contains(got, "canary") || strings.Contains(got, "Y2FuYX") || !strings.Contains(got, secret.Redacted) {
		t.Errorf("resource is %q", got)
	}
}

// Many write at once, over two logs on one folder, as two processes do.
func TestRecord_Concurrent(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir())
	o.MaxBytes = 20_000
	logs := []*Log{New(o), New(o)}
	const writers, each = 4, 40
	var wg sync.WaitGroup
	for _, l := range logs {
		for range writers {
			wg.Go(func() {
				for range each {
					record(t, l, read(t, "k"))
				}
			})
		}
	}
	wg.Wait()
	for _, l := range logs {
		closeLog(t, l)
	}
	if rep := sound(t, o.Folder, 2*writers*each); len(rep.Notes) != 0 || rep.Files < 2 {
		t.Errorf("%d files with the notes %v, want several without any", rep.Files, rep.Notes)
	}
}

// A record is on the disk a tenth of a second after it was written, and nothing runs when nothing is written.
func TestRecord_IsFlushed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := New(options(dir))
		record(t, l, read(t, "one"), read(t, "two"))
		kept := func() uint64 {
			h, err := readHead(l.store)
			if err != nil {
				t.Fatal(err)
			}
			return h.seq
		}
		if got := kept(); got != 0 {
			t.Errorf("the head is %d right after the records, want 0", got)
		}
		wait(t, syncPause+time.Millisecond)
		synctest.Wait()
		if got := kept(); got != 2 {
			t.Errorf("the head is %d after a tenth of a second, want 2", got)
		}
		wait(t, syncPause)
		synctest.Wait()
		l.writing.Lock()
		if l.looping {
			t.Error("the goroutine goes on with nothing to do")
		}
		l.writing.Unlock()
		record(t, l, read(t, "three"))
		closeLog(t, l)
		if h, err := readHead(folderOf(t, dir)); err != nil || h.seq != 3 {
			t.Errorf("after Close the head is %d, %v, want 3", h.seq, err)
		}
	})
}

func TestRotation(t *testing.T) {
	t.Parallel()
	for name, keep := range map[string]int{"all": 0, "three": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t.TempDir())
			o.MaxBytes, o.MaxFiles = 2000, keep
			for range 3 {
				l := New(o)
				for range 20 {
					record(t, l, read(t, "k"))
				}
				closeLog(t, l)
			}
			rep := verify(t, o.Folder)
			if rep.Broken != nil || rep.From.IsZero() {
				t.Errorf("the chain is broken: %v", rep.Broken)
			}
			switch {
			case keep == 0 && (rep.Records != 60 || rep.First != 1 || rep.Files < 6):
				t.Errorf("%d records from %d in %d files, want all 60", rep.Records, rep.First, rep.Files)
			case keep > 0 && (rep.Files != keep || rep.First == 1 || len(rep.Notes) == 0 || rep.Last < 60):
				t.Errorf("%d records from %d to %d in %d files", rep.Records, rep.First, rep.Last, rep.Files)
			}
			if keep == 0 {
				return
			}
			names, err := folderOf(t, o.Folder).names()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(o.Folder, names[0])); err != nil {
				t.Fatal(err)
			}
			if rep := verify(t, o.Folder); rep.Broken == nil || !strings.Contains(rep.Broken.Why, "no record says that they were removed") {
				t.Errorf("a file was removed by hand: %v", rep.Broken)
			}
		})
	}
}

func folderOf(t *testing.T, dir string) folder {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return folder{r.folder}
}

// Who waits for the lock of another process waits for a bounded time.
func TestRecord_LockIsHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := filled(t, 1)
		unlock, err := folderOf(t, dir).lock(lockFile)
		if err != nil {
			t.Fatal(err)
		}
		l := New(options(dir))
		if err := l.Record(context.Background(), read(t, "k")); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "another process") {
			t.Errorf("Record = %v, want UNAVAILABLE", err)
		}
		if err := l.Check(t.Context()); err == nil {
			t.Error("Check = nil while records cannot be written")
		}
		if err := unlock(); err != nil {
			t.Fatal(err)
		}
		if err := l.Check(t.Context()); err != nil {
			t.Errorf("Check = %v once the lock is free", err)
		}
		record(t, l, read(t, "k"))
		closeLog(t, l)
		sound(t, dir, 2)
	})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		section, dir, want string
		bad                bool
	}{
		"nothing":          {``, "/data", "/data/audit", false},
		"no data folder":   {``, "", "", false},
		"named":            {`{"folder":"log"}`, "/data", "/data/log", false},
		"from the root":    {`{"folder":"/var/audit"}`, "", "/var/audit", false},
		"relative to none": {`{"folder":"log"}`, "", "", true},
		"unknown":          {`{"foldr":"log"}`, "/data", "", true},
		"too small":        {`{"maxBytes":10}`, "/data", "", true},
	} {
		s, err := FromConfig(parseValue(t, test.section), test.dir)
		if (err != nil) != test.bad || err == nil && (s.Folder != test.want || !s.Enabled || !s.Required) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	l := New(options(b.TempDir()))
	d := read(b, "key")
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Record(b.Context(), d); err != nil {
			b.Fatal(err)
		}
	}
	closeLog(b, l)
}

func TestClip(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{"": 0, "short": 5, strings.Repeat("x", maxText): maxText, strings.Repeat("x", maxText+1): maxText, strings.Repeat("ä", maxText): maxText - 1} {
		if got := clip(in); len(got) != want {
			t.Errorf("clip of %d bytes has %d, want %d", len(in), len(got), want)
		}
	}
	if names := []string{nameOf(1), nameOf(99), nameOf(100), nameOf(1 << 40)}; !slices.IsSorted(names) {
		t.Errorf("names %q are not in order", names)
	}
	for name, ok := range map[string]bool{nameOf(12): true, "audit-12.jsonl": false, "audit-000000000000.jsonl": false, "torn-000000000001.jsonl": false, "audit-00000000001x.jsonl": false} {
		if _, got := firstOf(name); got != ok {
			t.Errorf("firstOf(%q) = %v, want %v", name, got, ok)
		}
	}
}
