package localstorage

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// trouble is a disk whose n-th step fails, of the steps that it counts.
type trouble struct {
	with  error
	of    []string // steps that can fail
	n     int      // 0 for none
	count int
}

func (f *trouble) fail(step string) error {
	if f.n == 0 || !slices.Contains(f.of, step) {
		return nil
	}
	if f.count++; f.count == f.n {
		return f.with
	}
	return nil
}

// change is one operation that changes an object, and how the object is before and after.
type change struct {
	name          string
	do            func(*storage.Handle) error
	before, after string
}

func changes(r *rig) []change {
	ctx := r.Context()
	return []change{
		{"overwritten", func(h *storage.Handle) error { return h.Write(ctx, "overwritten", []byte("new"), storage.Options{}) }, "old {} -", "new {} -"},
		{"made/anew", func(h *storage.Handle) error { return h.Write(ctx, "made/anew", []byte("new"), storage.Options{}) }, "none", "new {} -"},
		{"amended", func(h *storage.Handle) error {
			return h.SetMetadata(ctx, "amended", value.Obj(value.M("k", value.OfInt(1))))
		}, "old {} -", `old {"k":1} -`},
		{"shared", func(h *storage.Handle) error {
			return h.SetACL(ctx, "shared", access.NewACL().With(access.Public(), access.RightRead))
		}, "old {} -", "old {} public"},
		{"deleted", func(h *storage.Handle) error { return h.Delete(ctx, "deleted") }, "old {} -", "none"},
	}
}

// state describes an object, "none" when there is none.
func (r *rig) state(name string) string {
	r.Helper()
	h := r.as("agent:agent-a")
	text, err := h.Read(r.Context(), name)
	if fault.Is(err, fault.NotFound) {
		return "none"
	}
	metadata, merr := h.Metadata(r.Context(), name)
	if err = errors.Join(err, merr); err != nil {
		return err.Error()
	}
	shared := "-"
	if _, err := r.as("public").Read(r.Context(), name); err == nil {
		shared = "public"
	}
	return fmt.Sprintf("%s %s %s", text, metadata.JSON(), shared)
}

// The n-th step on the disk fails, for every n: what was acknowledged is there, every object is as before or as after the
// change and never in between, other objects can be read meanwhile, a full disk is STORAGE_FULL, and once there is room
// the same changes succeed without a restart.
func TestF04_EveryStepFails(t *testing.T) {
	t.Parallel()
	writing := []string{disk.StepMake, disk.StepWrite, disk.StepSync, disk.StepMkdir, disk.StepRename}
	for _, c := range []struct {
		name string
		with error
		of   []string
		code string // of the errors
	}{
		{"full", syscall.ENOSPC, writing, disk.CodeStorageFull},
		{"quota", syscall.EDQUOT, writing, disk.CodeStorageFull},
		{"input or output", syscall.EIO, append(slices.Clone(writing), disk.StepOpen, disk.StepRead, disk.StepRemove, disk.StepClose), ""},
		{"short write", io.ErrShortWrite, []string{disk.StepWrite}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			steps := 0
			for clean := false; !clean; {
				if steps++; steps > 300 {
					t.Fatal("no clean pass in 300 tries")
				}
				clean = failAtStep(t, &trouble{with: c.with, of: c.of}, steps, c.code)
			}
			if steps < 5 {
				t.Errorf("%d steps, want every one of the changes", steps)
			}
		})
	}
}

// failAtStep makes all changes while the n-th step fails, and reports whether none did.
func failAtStep(t *testing.T, f *trouble, n int, code string) (clean bool) {
	t.Helper()
	r := newRig(t, filepath.Join(t.TempDir(), "s"))
	list := changes(r)
	for _, c := range list {
		if c.before != "none" {
			r.write("agent:agent-a", c.name, "old")
		}
	}
	r.write("agent:agent-a", "kept", "kept")
	r.store.root, r.store.objects = r.store.root.Faulty(f.fail), r.store.objects.Faulty(f.fail)

	f.n = n
	failed := make([]error, len(list))
	for i, c := range list {
		if failed[i] = c.do(r.as("agent:agent-a")); failed[i] == nil {
			continue
		}
		if code != "" && fault.CodeOf(failed[i]) != code {
			t.Errorf("%s at step %d = %v, want the code %s", c.name, n, failed[i], code)
		}
		r.wantText("agent:agent-a", "kept", "kept")
	}
	clean = f.count < n
	f.n = 0

	after := newRig(t, r.dir) // as after a restart
	for i, c := range list {
		for _, one := range []*rig{r, after} {
			if got := one.state(c.name); got != c.after && (failed[i] == nil || got != c.before) {
				t.Errorf("step %d: %s is %q after %v, want %q, or %q if it failed", n, c.name, got, failed[i], c.after, c.before)
			}
		}
	}
	r.wantDamaged()
	for i, c := range list {
		if err := c.do(r.as("agent:agent-a")); err != nil && !(fault.Is(err, fault.NotFound) && c.after == "none") {
			t.Errorf("step %d: %s once the fault was over: %v (before: %v)", n, c.name, err, failed[i])
		}
		if got := r.state(c.name); got != c.after {
			t.Errorf("step %d: %s once the fault was over is %q, want %q", n, c.name, got, c.after)
		}
	}
	return clean
}
