package sre_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/agent/scheduler"
	"github.com/sre-go/sre/value"
)

// worker has a skill that answers, one that fails, one that deals with its failure, and a trigger; its model is Echo.
const worker = `{"id":"worker","name":"Worker","defaultModel":"Echo","behavior":"You work.","components":[
	{"id":"IN","name":"APIEndpoint","data":{"endpoint":"greet","method":"POST"},"inputs":[{"name":"name","type":"Text"}],"outputs":[{"name":"name","expression":"body.name"}]},
	{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"said"}],"outputs":[]},
	{"id":"BAD","name":"APIEndpoint","data":{"endpoint":"fail","method":"GET"},"inputs":[{"name":"key","type":"Text"}],"outputs":[{"name":"key","expression":"query.key"}]},
	{"id":"ENC","name":"FEncDec","data":{"action":"Decode","encoding":"no such encoding"},"inputs":[{"name":"Data"}],"outputs":[{"name":"Output"},{"name":"_error"}]},
	{"id":"END","name":"APIOutput","data":{"format":"full"},"inputs":[{"name":"e"}],"outputs":[]},
	{"id":"BAD2","name":"APIEndpoint","data":{"endpoint":"mend","method":"GET"},"inputs":[{"name":"key","type":"Text"}],"outputs":[{"name":"key","expression":"query.key"}]},
	{"id":"ENC2","name":"FEncDec","data":{"action":"Decode","encoding":"no such encoding"},"inputs":[{"name":"Data"}],"outputs":[{"name":"Output"},{"name":"_error"}]},
	{"id":"MAIL","name":"FTimestamp","data":{"triggerEndpoint":"mail"},"inputs":[{"name":"Trigger","optional":true}],"outputs":[{"name":"Timestamp"}]},
	{"id":"GOT","name":"APIOutput","data":{"format":"full"},"inputs":[{"name":"at"}],"outputs":[]}],
	"connections":[{"sourceId":"IN","sourceIndex":0,"targetId":"OUT","targetIndex":0},{"sourceId":"BAD","sourceIndex":0,"targetId":"ENC","targetIndex":0},
	{"sourceId":"BAD2","sourceIndex":0,"targetId":"ENC2","targetIndex":0},{"sourceId":"ENC2","sourceIndex":1,"targetId":"END","targetIndex":0},{"sourceId":"MAIL","sourceIndex":0,"targetId":"GOT","targetIndex":0}]}`

// working starts a runtime over a folder with the agent loaded, until the test ends.
func working(t *testing.T, dir string, opts ...sre.Option) (*sre.Runtime, *sre.Agent) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "worker.smyth")
	if err := os.WriteFile(file, []byte(worker), 0o600); err != nil {
		t.Fatal(err)
	}
	rt, err := sre.Start(t.Context(), std.Set(), append([]sre.Option{sre.WithDir(dir)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	a, err := rt.LoadFile(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	return rt, a
}

func TestRunJob(t *testing.T) {
	t.Parallel()
	rt, a := working(t, t.TempDir())
	tests := map[string]struct {
		job          scheduler.Job
		result, fail string // parts of the outcome
	}{
		"skill":           {scheduler.Job{Type: scheduler.SkillJob, Skill: "greet", Args: value.Obj(value.M("name", value.Of("Ada")))}, `{"said":"Ada"}`, ""},
		"missing input":   {scheduler.Job{Type: scheduler.SkillJob, Skill: "greet"}, "", "the request lacks name"},
		"unknown skill":   {scheduler.Job{Type: scheduler.SkillJob, Skill: "grit"}, "", "Skill grit not found in agent worker"},
		"failing skill":   {scheduler.Job{Type: scheduler.SkillJob, Skill: "fail", Args: value.Obj(value.M("key", value.Of("x")))}, "", "Unknown encoding"},
		"mending skill":   {scheduler.Job{Type: scheduler.SkillJob, Skill: "mend", Args: value.Obj(value.M("key", value.Of("x")))}, "Unknown encoding", ""},
		"trigger":         {scheduler.Job{Type: scheduler.TriggerJob, Trigger: "mail"}, `"at":`, ""},
		"unknown trigger": {scheduler.Job{Type: scheduler.TriggerJob, Trigger: "male"}, "", "Trigger male not found in agent worker"},
		"prompt":          {scheduler.Job{Type: scheduler.PromptJob, Prompt: "good morning"}, "good morning", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.job.Agent = "worker"
			if _, err := a.Services().Scheduler().Add(t.Context(), name, tt.job, scheduler.Schedule{Every: time.Hour}); err != nil {
				t.Fatal(err)
			}
			o, err := rt.RunJob(t.Context(), a.Candidate(), name)
			if err != nil {
				t.Fatal(err)
			}
			if o.Success != (tt.fail == "") || !strings.Contains(o.Error, tt.fail) || !strings.Contains(o.Result.JSON(), tt.result) {
				t.Errorf("the outcome is %+v with %s, want %q, %q", o, o.Result.JSON(), tt.result, tt.fail)
			}
			e, err := a.Services().Scheduler().Get(t.Context(), name)
			if err != nil || len(e.Progress.History) != 1 || e.Progress.History[0].Error != o.Error {
				t.Errorf("the history is %+v, %v", e.Progress.History, err)
			}
		})
	}
}

// What comes out of a job holds no secret that the team was handed, in its history neither.
func TestT29_Jobs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const key = "sk-secret-0123456789"
	if err := os.WriteFile(filepath.Join(dir, "vault.json"), []byte(`{"default":{"key":"`+key+`"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	rt, a := working(t, dir)
	if _, err := a.Services().Vault().Get(t.Context(), "key"); err != nil {
		t.Fatal(err)
	}
	for id, job := range map[string]scheduler.Job{
		"says":  {Type: scheduler.SkillJob, Agent: "worker", Skill: "greet", Args: value.Obj(value.M("name", value.Of(key)))},
		"fails": {Type: scheduler.SkillJob, Agent: "worker", Skill: key},
	} {
		if _, err := a.Services().Scheduler().Add(t.Context(), id, job, scheduler.Schedule{Every: time.Hour}); err != nil {
			t.Fatal(err)
		}
		o, err := rt.RunJob(t.Context(), a.Candidate(), id)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(o.Error+o.Result.JSON(), key) || o.Success != (id == "says") {
			t.Errorf("%s: the outcome is %+v", id, o)
		}
	}
}

// due is a job that was due in 2025, as the TypeScript runtime keeps it.
func due(t *testing.T, dir, job string) {
	t.Helper()
	for name, text := range map[string]string{
		"scheduler/jobs/worker.agent/j1.json": `{"id":"j1","schedule":{"interval":"10m"},"jobConfig":` + job +
			`,"acl":{"hashAlgorithm":"xxh3","entries":{"agent":{"` + legacyID(t, "worker") + `":["owner"]}}},"status":"active"}`,
		"scheduler/.jobs.runtime/worker.agent/j1.json": `{"executionHistory":[],"lastRun":"2025-03-01T10:20:30.456Z","nextRun":"2025-03-01T10:30:30.456Z"}`,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// legacyID is an id as access lists of the TypeScript runtime hold it.
func legacyID(t *testing.T, id string) string {
	t.Helper()
	c, err := access.Agent(id)
	if err != nil {
		t.Fatal(err)
	}
	acl, err := access.NewACLWithHash(access.Legacy)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(acl.With(c, access.RightOwner).String(), "|a:")
	hash, _, _ := strings.Cut(rest, "/")
	return hash
}

// jobDone waits for the first outcome of the job j1.
func jobDone(t *testing.T, a *sre.Agent) scheduler.Entry {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		e, err := a.Services().Scheduler().Get(ctx, "j1")
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Progress.History) > 0 {
			return e
		}
		if err := (effect.System{}).Sleep(ctx, 5*time.Millisecond); err != nil {
			t.Fatal("the job does not run")
		}
	}
}

func TestRunJobs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	due(t, dir, `{"type":"skill","agentId":"worker","skillName":"greet","args":{"name":"Ada"},"metadata":{}}`)
	rt, a := working(t, dir)
	rt.RunJobs(t.Context())
	e := jobDone(t, a)
	if !e.Progress.History[0].Success || !e.Progress.Next.After(effect.System{}.Now()) {
		t.Errorf("the job is %+v", e)
	}
	if err := rt.Health(t.Context())["Scheduler/LocalScheduler"]; err != nil {
		t.Errorf("health: %v", err)
	}
	list, err := rt.Jobs(t.Context(), "worker")
	if err != nil || len(list) != 1 || list[0].ID != "j1" {
		t.Errorf("the jobs are %+v, %v", list, err)
	}
	if list, err := rt.Jobs(t.Context(), "other"); err != nil || len(list) != 0 {
		t.Errorf("the jobs of another agent are %+v, %v", list, err)
	}
}

// Closing a runtime ends the jobs that take too long.
func TestRunJobs_Close(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	due(t, dir, `{"type":"skill","agentId":"worker","skillName":"wait","metadata":{}}`)
	rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(dir), sre.WithConfig(value.Obj(value.M("limits", value.Obj(value.M("drain_time", value.Of("50ms")))))))
	if err != nil {
		t.Fatal(err)
	}
	const sleeper = `{"id":"worker","components":[
		{"id":"IN","name":"APIEndpoint","data":{"endpoint":"wait","method":"POST"},"inputs":[],"outputs":[{"name":"body","expression":"body"}]},
		{"id":"S","name":"FSleep","data":{"delay":3600},"inputs":[{"name":"Input"}],"outputs":[{"name":"Output"}]}],
		"connections":[{"sourceId":"IN","sourceIndex":0,"targetId":"S","targetIndex":0}]}`
	file := filepath.Join(t.TempDir(), "worker.smyth")
	if err := os.WriteFile(file, []byte(sleeper), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := rt.LoadFile(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	rt.RunJobs(t.Context())
	for begun := false; !begun; {
		e, err := a.Services().Scheduler().Get(t.Context(), "j1")
		if begun = err == nil && e.Progress.Last.Year() > 2025; !begun {
			err = effect.System{}.Sleep(t.Context(), 5*time.Millisecond)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := rt.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "scheduler/.jobs.runtime/worker.agent/j1.json"))
	if err != nil || !strings.Contains(string(text), "the runtime was stopped") {
		t.Errorf("the history is %s, %v", text, err)
	}
}

// A runtime that only keeps jobs runs none, and one without the service has none.
func TestRunJobs_NotHere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	due(t, dir, `{"type":"skill","agentId":"worker","skillName":"greet","args":{"name":"Ada"},"metadata":{}}`)
	settings := value.Obj(value.M("Connector", value.Of("LocalScheduler")), value.M("Settings", value.Obj(value.M("runJobs", value.OfBool(false)))))
	rt, a := working(t, dir, sre.WithConfig(value.Obj(value.M("services", value.Obj(value.M("Scheduler", settings))))))
	rt.RunJobs(t.Context())
	if err := (effect.System{}).Sleep(t.Context(), 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if e, err := a.Services().Scheduler().Get(t.Context(), "j1"); err != nil || len(e.Progress.History) != 0 {
		t.Errorf("the job is %+v, %v, want it not run", e, err)
	}
	bare, err := sre.Start(t.Context(), sre.Set{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := bare.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	bare.RunJobs(t.Context())
	if list, err := bare.Jobs(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("the jobs are %+v, %v", list, err)
	}
	if _, err := bare.RunJob(t.Context(), a.Candidate(), "j1"); !fault.Is(err, fault.Unsupported) {
		t.Errorf("RunJob = %v, want UNSUPPORTED", err)
	}
}

// The agent of a job need not be loaded: the AgentData service is asked for it.
func TestRunJob_AgentData(t *testing.T) {
	t.Parallel()
	agents := t.TempDir()
	if err := os.WriteFile(filepath.Join(agents, "worker.smyth"), []byte(worker), 0o600); err != nil {
		t.Fatal(err)
	}
	data := value.Obj(value.M("Connector", value.Of("LocalAgentData")), value.M("Settings", value.Obj(value.M("devDir", value.Of(agents)), value.M("prodDir", value.Of(agents)))))
	rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(t.TempDir()), sre.WithConfig(value.Obj(value.M("services", value.Obj(value.M("AgentData", data))))))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	c, err := access.Agent("worker")
	if err != nil {
		t.Fatal(err)
	}
	for agent, want := range map[string]bool{"worker": true, "nobody": false} {
		job := scheduler.Job{Type: scheduler.PromptJob, Agent: agent, Prompt: "hello"}
		if _, err := rt.As(c).Scheduler().Add(t.Context(), agent, job, scheduler.Schedule{Every: time.Hour}); err != nil {
			t.Fatal(err)
		}
		o, err := rt.RunJob(t.Context(), c, agent)
		if o.Success != want || want != (err == nil) || !want && !fault.Is(err, fault.NotFound) {
			t.Errorf("the job for %s: %+v, %v, want it done: %t", agent, o, err, want)
		}
	}
}
