package localscheduler

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/agent/scheduler"
	"github.com/sre-go/sre/value"
)

// everybody is one team.
type everybody struct{}

func (everybody) TeamOf(context.Context, access.Candidate) (string, error) { return "team", nil }

// rig is a connector under its service, for agent-a.
type rig struct {
	*testing.T
	dir  string
	log  *strings.Builder
	jobs *scheduler.Handle
}

// newRig opens a folder through wrap, unless that is nil.
func newRig(t *testing.T, dir string, wrap func(*disk.Folder) *disk.Folder) *rig {
	t.Helper()
	r := &rig{T: t, dir: dir, log: &strings.Builder{}}
	env := connector.Env{Effects: effect.System{}, Events: &event.Bus{}, Log: slog.New(slog.NewTextHandler(r.log, nil))}
	folder := disk.Later(dir)
	if wrap != nil {
		folder = wrap(folder)
	}
	s := newStore(folder, scheduler.Policy{Run: true, History: 100}, env)
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	c, err := access.Agent("agent-a")
	if err != nil {
		t.Fatal(err)
	}
	r.jobs = scheduler.New(env, connector.Instances[scheduler.Connector]{Default: "it", ByID: map[string]scheduler.Connector{"it": s}}, everybody{}).For(c)
	return r
}

func (r *rig) write(name, text string) {
	r.Helper()
	path := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) read(name string) string {
	r.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, filepath.FromSlash(name)))
	if err != nil {
		r.Fatal(err)
	}
	return string(text)
}

func (r *rig) list() []string {
	r.Helper()
	page, err := r.jobs.List(r.Context(), "", 0)
	if err != nil {
		r.Fatal(err)
	}
	var ids []string
	for _, e := range page.Entries {
		ids = append(ids, e.ID)
	}
	return ids
}

func job() scheduler.Job {
	return scheduler.Job{Type: scheduler.SkillJob, Agent: "agent-a", Skill: "x", Args: value.Obj(value.M("a", value.OfInt(1)))}
}

func tenMinutes() scheduler.Schedule { return scheduler.Schedule{Every: 10 * time.Minute} }

// recorded is a job as the reference writes it, and recordedProgress what became of one.
const (
	recorded = `{"id":"j1","schedule":{"interval":"10m"},"jobConfig":{"type":"skill","agentId":"agent-a",` +
		`"skillName":"x","args":{"a":1},"metadata":{"retryOnFailure":false,"maxRetries":0,"tags":[]}},` +
		`"acl":{"hashAlgorithm":"xxh3","entries":{"agent":{"8d99dd9bc6c295e0":["owner"]}}},"status":"active"}`
	recordedProgress = `{"executionHistory":[{"timestamp":"2025-03-01T10:20:30.456Z","success":false,"error":"no","executionTime":1200,"retries":2}],` +
		`"lastRun":"2025-03-01T10:20:30.456Z","nextRun":"2025-03-01T10:30:30.456Z"}`
)

// A folder of the reference is used as it is, and what is written is read by it: it is the same form.
func TestReferenceFolder(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), nil)
	r.write("jobs/agent-a.agent/j1.json", recorded)
	r.write(".jobs.runtime/agent-a.agent/j1.json", recordedProgress)
	r.write("jobs/agent-a.agent/notes.txt", "not a job")
	r.write("jobs/readme", "neither")
	if got := r.list(); !slices.Equal(got, []string{"j1"}) {
		t.Fatalf("the jobs are %q, want j1", got)
	}
	e, err := r.jobs.Get(t.Context(), "j1")
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Progress.Value().JSON(); got != recordedProgress {
		t.Errorf("the progress is %s, want %s", got, recordedProgress)
	}
	if err := r.jobs.Pause(t.Context(), "j1"); err != nil {
		t.Fatal(err)
	}
	v, err := value.Parse(r.read("jobs/agent-a.agent/j1.json"))
	if want := strings.Replace(recorded, `"active"`, `"paused"`, 1); err != nil || v.JSON() != want {
		t.Errorf("the paused job is written as %s, %v, want %s", v.JSON(), err, want)
	}
	if p, err := value.Parse(r.read(".jobs.runtime/agent-a.agent/j1.json")); err != nil || p.JSON() != recordedProgress {
		t.Errorf("its progress is written as %s, %v, want %s", p.JSON(), err, recordedProgress)
	}
	if _, err := r.jobs.Add(t.Context(), "j1", job(), tenMinutes()); err != nil {
		t.Fatal(err)
	}
	v, err = value.Parse(r.read("jobs/agent-a.agent/j1.json"))
	if err != nil || v.JSON() != recorded {
		t.Errorf("the job that is added again is written as %s, %v, want %s", v.JSON(), err, recorded)
	}
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t, filepath.Join(t.TempDir(), "later"), nil)
	if _, err := os.Stat(r.dir); !os.IsNotExist(err) {
		t.Errorf("the folder is there before anything was added: %v", err)
	}
	if _, err := r.jobs.Add(t.Context(), "job", job(), tenMinutes()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"jobs/agent-a.agent/job.json", ".jobs.runtime/agent-a.agent/job.json"} {
		info, err := os.Stat(filepath.Join(r.dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want mode 0600", name, info, err)
		}
	}
}

// Damage is named, hurts one job alone, and can be mended by adding or deleting the job.
func TestT46_TamperedJobs(t *testing.T) {
	t.Parallel()
	change := func(old, now string) string { return strings.Replace(recorded, old, now, 1) }
	for name, text := range map[string]string{
		"cut":            recorded[:len(recorded)/2],
		"empty":          "",
		"another's file": change(`"j1"`, `"j2"`),
		"no ACL":         change(`"acl"`, `"lca"`),
		"ACL level":      change(`["owner"]`, `["all"]`),
		"ACL role":       change(`"entries":{"agent"`, `"entries":{"robot"`),
		"ACL hash":       change(`xxh3`, `md5`),
		"status":         change(`"active"`, `"running"`),
		"type":           change(`"skill"`, `"constructor"`),
		"schedule":       change(`"10m"`, `"0m"`),
		"too large":      recorded + strings.Repeat(" ", scheduler.MaxBytes),
		"a list":         "[" + recorded + "]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, t.TempDir(), nil)
			r.write("jobs/agent-a.agent/j1.json", text)
			if _, err := r.jobs.Add(t.Context(), "good", job(), tenMinutes()); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if got := r.list(); !slices.Equal(got, []string{"good"}) {
					t.Errorf("the list is %q, want the good job alone", got)
				}
			}
			if got := strings.Count(r.log.String(), "file=jobs/agent-a.agent/j1.json"); got != 1 {
				t.Errorf("the log names the file %d times, want once:\n%s", got, r.log)
			}
			if _, err := r.jobs.Get(t.Context(), "j1"); fault.CodeOf(err) != scheduler.CodeDamaged || !strings.Contains(err.Error(), "j1") {
				t.Errorf("Get = %v, want an error of the code %s that names the job", err, scheduler.CodeDamaged)
			}
			if name == "another's file" {
				return // it is not this job's to replace
			}
			if _, err := r.jobs.Add(t.Context(), "j1", job(), tenMinutes()); err != nil {
				t.Errorf("Add in place of the damaged job: %v", err)
			}
			r.write("jobs/agent-a.agent/j1.json", text)
			if err := r.jobs.Delete(t.Context(), "j1"); err != nil {
				t.Errorf("Delete of the damaged job: %v", err)
			}
		})
	}
}

// The ACL of a file counts: an entry for others than the owner of the folder lets nobody in.
func TestT46_ForeignACL(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), nil)
	r.write("jobs/agent-a.agent/j1.json", strings.Replace(recorded, "8d99dd9bc6c295e0", "0000000000000000", 1))
	if _, err := r.jobs.Get(t.Context(), "j1"); !fault.Is(err, fault.Denied) {
		t.Errorf("Get = %v, want DENIED", err)
	}
	if got := r.list(); len(got) != 0 {
		t.Errorf("the list is %q, want nothing", got)
	}
}

// A history that is damaged is lost, and the job goes on.
func TestT46_TamperedProgress(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", "[]", `{"nextRun":{},"executionHistory":{"a":1},"lastRun":-1}`, `{"executionHistory":[null,5,{"retries":1e300,"executionTime":-1}]}`} {
		r := newRig(t, t.TempDir(), nil)
		r.write("jobs/agent-a.agent/j1.json", recorded)
		r.write(".jobs.runtime/agent-a.agent/j1.json", text)
		e, err := r.jobs.Get(t.Context(), "j1")
		if err != nil || !e.Progress.Next.IsZero() {
			t.Errorf("with the progress %q the job is %+v, %v", text, e, err)
		}
		if err := r.jobs.Pause(t.Context(), "j1"); err != nil {
			t.Errorf("with the progress %q: Pause: %v", text, err)
		}
	}
}

// Links in the folder lead nowhere.
func TestT12_Links(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), nil)
	outside := filepath.Join(t.TempDir(), "outside.json")
	if err := os.WriteFile(outside, []byte(recorded), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(r.dir, "jobs/agent-a.agent"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(r.dir, "jobs/agent-a.agent/j1.json")); err != nil {
		t.Fatal(err)
	}
	if e, err := r.jobs.Get(t.Context(), "j1"); err == nil {
		t.Errorf("a link out of the folder is read: %+v", e)
	}
	if _, err := r.jobs.Add(t.Context(), "j1", job(), scheduler.Schedule{Every: time.Second}); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(outside); err != nil || string(text) != recorded {
		t.Errorf("the file outside is %s, %v", text, err)
	}
}

// One job more than there may be is refused, and one that is there can still be changed.
func TestLimitJobs(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), nil)
	for i := range scheduler.MaxJobs {
		id := fmt.Sprint("j", i)
		r.write("jobs/agent-a.agent/"+id+".json", strings.Replace(recorded, `"j1"`, `"`+id+`"`, 1))
	}
	if _, err := r.jobs.Add(t.Context(), "more", job(), tenMinutes()); !fault.Is(err, fault.Limit) || fault.CodeOf(err) == "" {
		t.Errorf("Add of one more = %v, want LIMIT", err)
	}
	if _, err := r.jobs.Add(t.Context(), "j7", job(), tenMinutes()); err != nil {
		t.Errorf("Add of one that is there: %v", err)
	}
}

// F04: whichever step on the disk fails, a job is the old one or the new one, and the error says so.
func TestF04_EveryStep(t *testing.T) {
	t.Parallel()
	operations := map[string]func(*rig) error{
		"Add": func(r *rig) error {
			_, err := r.jobs.Add(r.Context(), "j1", scheduler.Job{Type: scheduler.PromptJob, Agent: "agent-a", Prompt: "new"}, tenMinutes())
			return err
		},
		"Pause":  func(r *rig) error { return r.jobs.Pause(r.Context(), "j1") },
		"Delete": func(r *rig) error { return r.jobs.Delete(r.Context(), "j1") },
		"List":   func(r *rig) error { _, err := r.jobs.List(r.Context(), "", 0); return err },
	}
	for name, do := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				if n > 200 {
					t.Fatal("the operation never succeeds")
				}
				left := n
				dir := t.TempDir()
				sound := newRig(t, dir, nil)
				sound.write("jobs/agent-a.agent/j1.json", recorded)
				sound.write(".jobs.runtime/agent-a.agent/j1.json", recordedProgress)
				faulty := newRig(t, dir, func(f *disk.Folder) *disk.Folder {
					return f.Faulty(func(string) error {
						if left--; left == 0 {
							return syscall.EIO
						}
						return nil
					})
				})
				err := do(faulty)
				e, got := sound.jobs.Get(t.Context(), "j1")
				if err == nil && left > 0 {
					return // no step is left that could fail
				}
				if err != nil && fault.Is(err, fault.NotFound) {
					t.Errorf("step %d: %v: the job is not gone", n, err)
				}
				switch {
				case fault.Is(got, fault.NotFound) && name == "Delete":
				case got != nil:
					t.Errorf("step %d: after %v the job is %v", n, err, got)
				case e.Job.Skill != "x" && e.Job.Prompt != "new":
					t.Errorf("step %d: the job is neither the old nor the new one: %+v", n, e.Job)
				}
			}
		})
	}
}

// Whatever a file holds, it is a job or an error, and a job that was read is written as it was.
func FuzzDecode(f *testing.F) {
	f.Add(recorded)
	f.Add(strings.Replace(recorded, `"interval":"10m"`, `"cron":"* * * * *","endDate":"2025-01-01"`, 1))
	f.Add(`{"id":"j1","schedule":{"interval":"1s"},"jobConfig":{"type":"prompt","agentId":"a","prompt":"x","metadata":{"timeout":1e99,"maxRetries":-5,"other":[1]}},"acl":{"entries":{}},"status":"paused"}`)
	c, err := access.Agent("agent-a")
	if err != nil {
		f.Fatal(err)
	}
	at := scheduler.Address{Owner: c, ID: "j1"}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := decode(at, []byte(text))
		if err != nil {
			if fault.CodeOf(err) != scheduler.CodeDamaged {
				t.Errorf("decode = %v, want the code %s", err, scheduler.CodeDamaged)
			}
			return
		}
		written := encode(e).JSON()
		again, err := decode(at, []byte(written))
		if err != nil || encode(again).JSON() != written {
			t.Errorf("%s is read back as %s, %v", written, encode(again).JSON(), err)
		}
	})
}

// Progress of any form is read within bounds.
func FuzzParseProgress(f *testing.F) {
	f.Add(recordedProgress)
	f.Add(`{"executionHistory":[{"timestamp":1740824430456,"executionTime":1e400}],"nextRun":99999999999999999999}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := value.Parse(text)
		if err != nil {
			return
		}
		p, err := scheduler.ParseProgress(v)
		if err != nil {
			return
		}
		written := p.Value().JSON()
		again, err := value.Parse(written)
		if err != nil {
			t.Fatal(err)
		}
		if p, err = scheduler.ParseProgress(again); err != nil || p.Value().JSON() != written {
			t.Errorf("%s is read back as %s, %v", written, p.Value().JSON(), err)
		}
	})
}
