package disk

import (
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/sre-go/sre/fault"
)

// failAt returns a folder whose n-th step that changes the disk fails, or the n-th write when the fault is a short one, and
// the count of those steps.
func failAt(f *Folder, n int, with error) (*Folder, *int) {
	steps := new(int)
	return f.Faulty(func(step string) error {
		if step == StepRead || step == StepList || with == io.ErrShortWrite && step != StepWrite {
			return nil
		}
		if *steps++; *steps == n {
			return with
		}
		return nil
	}), steps
}

// The n-th step of a write fails, for every n: the file holds all of the old or all of the new bytes, an acknowledged
// write holds the new ones, and once the fault is over the same write succeeds.
func TestF04_EveryStepOfAWriteFails(t *testing.T) {
	t.Parallel()
	for _, with := range []error{syscall.ENOSPC, syscall.EIO, syscall.EROFS, io.ErrShortWrite} {
		clean := false
		for n := 1; !clean; n++ {
			if n > 50 {
				t.Fatal("no clean pass in 50 tries")
			}
			dir := filepath.Join(t.TempDir(), "root")
			f, err := Create(dir)
			if err != nil {
				t.Fatal(err)
			}
			write(t, f, "a/x", "old")
			bad, steps := failAt(f, n, with)
			errOld, errNew := bad.WriteAtomic("a/x", []byte("new")), bad.WriteAtomic("b/c/y", []byte("new"))
			clean = *steps < n
			if (errOld == nil && errNew == nil) != clean {
				t.Errorf("%v at step %d: errors %v, %v, want one", with, n, errOld, errNew)
			}
			for _, err := range []error{errOld, errNew} {
				if want := CodeStorageFull; err != nil && with == syscall.ENOSPC && fault.CodeOf(err) != want {
					t.Errorf("code at step %d = %q, want %q", n, fault.CodeOf(err), want)
				}
			}
			got, err := f.Read("a/x", 10)
			if err != nil || errOld == nil && string(got) != "new" || string(got) != "old" && string(got) != "new" {
				t.Errorf("%v at step %d: Read = %q, %v after a write that gave %v", with, n, got, err, errOld)
			}
			got, err = f.Read("b/c/y", 10)
			if (err == nil && string(got) != "new") || errNew == nil && err != nil {
				t.Errorf("%v at step %d: Read = %q, %v after a write that gave %v", with, n, got, err, errNew)
			}
			write(t, f, "a/x", "newer")
			write(t, f, "b/c/y", "newer")
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// recorder is a system that notes the steps that make a write durable.
type recorder struct {
	system
	steps *[]string
}

func (r recorder) open(name string, flag int) (file, error) {
	f, err := r.system.open(name, flag)
	return recorderFile{f, r.steps}, err
}

func (r recorder) rename(from, to string) error {
	*r.steps = append(*r.steps, "rename to "+filepath.ToSlash(to))
	return r.system.rename(from, to)
}

func (r recorder) remove(name string) error {
	*r.steps = append(*r.steps, "remove "+filepath.ToSlash(name))
	return r.system.remove(name)
}

func (r recorder) mkdir(name string, mode fs.FileMode) error {
	*r.steps = append(*r.steps, "mkdir "+filepath.ToSlash(name))
	return r.system.mkdir(name, mode)
}

func (r recorder) syncFolder(name string) error {
	*r.steps = append(*r.steps, "sync folder "+filepath.ToSlash(name))
	return r.system.syncFolder(name)
}

type recorderFile struct {
	file
	steps *[]string
}

func (f recorderFile) Sync() error {
	*f.steps = append(*f.steps, "sync file")
	return f.file.Sync()
}

// The bytes are on the disk before the name points to them, and every folder that got or lost an entry is flushed.
func TestG04_OrderOfDurableSteps(t *testing.T) {
	t.Parallel()
	f, _ := open(t)
	var steps []string
	f.root = recorder{f.root, &steps}
	write(t, f, "a/b/x", "1")
	if err := f.Remove("a/b/x"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"mkdir " + tempFolder, "sync folder .", "sync file", "mkdir a", "sync folder .", "mkdir a/b", "sync folder a",
		"rename to a/b/x", "sync folder a/b", "remove a/b/x", "sync folder a/b",
	}
	if !slices.Equal(steps, want) {
		t.Errorf("steps = %q, want %q", steps, want)
	}
}
