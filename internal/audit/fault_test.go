package audit

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

// TestF04_EveryStepFails: whichever step of the disk fails, what was acknowledged is there, the chain holds, and the audit
// goes on once the fault is over.
func TestF04_EveryStepFails(t *testing.T) {
	t.Parallel()
	clean := false
	for n := 1; !clean; n++ {
		if n > 200 {
			t.Fatal("no clean pass in 200 tries")
		}
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			l, s := flakyLog(t, dir)
			l.options.MaxBytes = 1200
			s.fail(n)
			acknowledged := map[string]bool{}
			for i := range 8 {
				key := "key" + string(rune('a'+i))
				if err := l.Record(t.Context(), read(t, key)); err == nil {
					acknowledged["red/"+key] = true
				}
				wait(t, 40*time.Millisecond)
			}
			over := s.left() <= 0
			if err := l.Check(t.Context()); err != nil && over {
				t.Errorf("step %d: Check = %v after the fault", n, err)
			}
			failed := 0 // one of them may meet the fault
			for range 3 {
				if err := l.Record(t.Context(), read(t, "last")); err != nil {
					failed++
				}
			}
			if failed > 1 || over && failed > 0 {
				t.Errorf("step %d: %d of 3 records failed after the fault", n, failed)
			}
			closing := l.Close(context.Background())
			clean = s.left() > 0
			if closing != nil && clean {
				t.Errorf("Close = %v without a fault", closing)
			}
			if len(acknowledged) < 7 || clean && len(acknowledged) != 8 {
				t.Errorf("step %d: %d of 8 were acknowledged", n, len(acknowledged))
			}
			rep := verify(t, dir)
			if rep.Broken != nil {
				t.Errorf("step %d: the chain is broken: %v", n, rep.Broken)
			}
			for _, e := range entries(t, dir) {
				delete(acknowledged, e.Resource)
			}
			if len(acknowledged) > 0 {
				t.Errorf("step %d: acknowledged and not there: %v", n, acknowledged)
			}
		})
	}
}

// TestF04_DiskFull: on a full disk secrets are not handed out while refusals are still recorded; with room again all goes
// on by itself.
func TestF04_DiskFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l, s := flakyLog(t, dir)
		env := connector.Env{Record: l.Record}
		if err := env.Audit(t.Context(), read(t, "before")); err != nil {
			t.Fatal(err)
		}
		s.set(true, 0)
		for range 3 {
			err := env.Audit(t.Context(), read(t, "full"))
			if !fault.Is(err, fault.Unavailable) || fault.CodeOf(err) != "AUDIT_UNAVAILABLE" || !strings.Contains(err.Error(), "free space") {
				t.Errorf("reading a secret = %v, want AUDIT_UNAVAILABLE", err)
			}
			record(t, l, denied(t, "refused"))
		}
		if err := l.Check(t.Context()); fault.CodeOf(err) != disk.CodeStorageFull {
			t.Errorf("Check = %v, want STORAGE_FULL", err)
		}
		s.set(true, 0) // now the reserve is used up as well
		if err := l.Record(t.Context(), denied(t, "lost")); err == nil {
			t.Error("a refusal was recorded without room")
		}
		s.set(false, 0)
		wait(t, restorePause+time.Millisecond)
		if err := env.Audit(t.Context(), read(t, "after")); err != nil {
			t.Errorf("with room again: %v", err)
		}
		if err := l.Check(t.Context()); err != nil {
			t.Errorf("Check = %v with room again", err)
		}
		closeLog(t, l)
		rep := sound(t, dir, 6)
		if len(rep.Notes) != 1 || rep.Notes[0].Operation != opLost || !strings.HasPrefix(rep.Notes[0].Resource, "1 ") {
			t.Errorf("notes %+v, want the one refusal that was lost", rep.Notes)
		}
	})
}

// TestF04_FullFromTheStart: without room for the reserve no secret is handed out, and what can be recorded is.
func TestF04_FullFromTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l, s := flakyLog(t, dir)
		s.set(true, 2000)
		if err := l.Record(t.Context(), read(t, "k")); fault.CodeOf(err) != disk.CodeStorageFull {
			t.Errorf("Record of a secret = %v, want STORAGE_FULL", err)
		}
		record(t, l, denied(t, "refused"))
		s.set(false, 0)
		wait(t, restorePause+time.Millisecond)
		if err := l.Check(t.Context()); err != nil {
			t.Errorf("Check = %v with room", err)
		}
		record(t, l, read(t, "k"))
		closeLog(t, l)
		sound(t, dir, 2)
	})
}

// A flush that failed is not tried again on the same file: it is opened anew, and what it holds is looked at.
func TestF04_FlushFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l, s := flakyLog(t, dir)
		record(t, l, read(t, "one"))
		s.fail(1) // the next step is the flush
		wait(t, syncPause+time.Millisecond)
		synctest.Wait()
		l.writing.Lock()
		unsafe, before := l.unsafe, l.flush
		l.writing.Unlock()
		if unsafe == nil {
			t.Fatal("the failed flush was forgotten")
		}
		record(t, l, read(t, "two"))
		l.writing.Lock()
		if l.unsafe != nil || l.flush == before {
			t.Errorf("after the next record: unsafe %v, the same file %v", l.unsafe, l.flush == before)
		}
		l.writing.Unlock()
		closeLog(t, l)
		sound(t, dir, 2)
	})
}

// TestF19_AuditThatCannotWork: without a place for the audit no secret is read, and refusals stay refusals.
func TestF19_AuditThatCannotWork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	overwrite(t, dir+"/file", nil)
	l := New(options(dir + "/file"))
	env := connector.Env{Record: l.Record}
	if err := env.Audit(t.Context(), read(t, "k")); fault.CodeOf(err) != "AUDIT_UNAVAILABLE" {
		t.Errorf("reading a secret = %v, want AUDIT_UNAVAILABLE", err)
	}
	if err := l.Record(t.Context(), access.Decision{Operation: "x"}); err == nil {
		t.Error("a refusal was recorded nowhere")
	}
	if err := l.Check(t.Context()); err == nil {
		t.Error("Check = nil")
	}
	closeLog(t, l)
}
