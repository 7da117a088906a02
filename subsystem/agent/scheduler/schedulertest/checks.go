package schedulertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/agent/scheduler"
	"github.com/sre-go/sre/value"
)

func roundTrip(f *fixture) {
	now := f.env.Effects.Now()
	jobs := map[string]scheduler.Job{
		"skill": {
			Type: scheduler.SkillJob, Agent: "a1", Skill: "greet", Args: value.Obj(value.M("name", value.Of("Ada")), value.M("n", value.OfNumber(1.5))),
			Name: "greeting", Description: "Says hello.", Tags: []string{"x", "y"}, Retry: true, MaxRetries: 3, Timeout: 2 * time.Second,
		},
		"a trigger":  {Type: scheduler.TriggerJob, Agent: "a2", Trigger: "mail"},
		"prompt-1.b": {Type: scheduler.PromptJob, Agent: "a1", Prompt: "How\nare \"you\"?"},
	}
	s := scheduler.Schedule{Every: 90 * time.Second, Start: now.Add(time.Hour).Truncate(time.Millisecond), End: now.Add(48 * time.Hour).Truncate(time.Millisecond)}
	for id, job := range jobs {
		if _, err := f.as("agent:a1").Add(f.Context(), id, job, s); err != nil {
			f.Fatalf("Add(%q): %v", id, err)
		}
		e, err := f.as("agent:a1").Get(f.Context(), id)
		if err != nil {
			f.Fatalf("Get(%q): %v", id, err)
		}
		if got, want := e.Job.Value().JSON(), job.Value().JSON(); got != want {
			f.Errorf("the job is %s, want %s", got, want)
		}
		if got, want := e.Schedule.Value().JSON(), s.Value().JSON(); got != want {
			f.Errorf("the schedule is %s, want %s", got, want)
		}
		if e.ID != id || e.Owner.String() != "agent:a1" || e.Paused || !e.Progress.Next.Equal(s.Start) || !e.Progress.Last.IsZero() {
			f.Errorf("the entry is %+v", e)
		}
		if err := f.as("agent:a1").Delete(f.Context(), id); err != nil {
			f.Errorf("Delete(%q): %v", id, err)
		}
		for _, op := range operations() {
			if op.name != "scheduler.add" && !op.all {
				f.wantKind(op.name+" after Delete", op.do(f.Context(), f.as("agent:a1"), id), fault.NotFound)
			}
		}
	}
	if _, err := f.as("agent:a1").Add(f.Context(), "cron", greet("a1"), scheduler.Schedule{Cron: "0 8 * * 1-5"}); err != nil {
		f.Fatal(err)
	}
	if e, err := f.as("agent:a1").Get(f.Context(), "cron"); err != nil || e.Schedule.Cron != "0 8 * * 1-5" || e.Progress.Next.UTC().Hour() != 8 {
		f.Errorf("the cron job is %+v, %v", e, err)
	}
	if list := f.denials.Take(); len(list) > 0 {
		f.Errorf("the audit was told of %+v", list)
	}
}

func addAgain(f *fixture) {
	f.add("agent:a1", "job", "a1")
	o := scheduler.Outcome{At: f.env.Effects.Now().Truncate(time.Millisecond), Success: true, Took: time.Second}
	f.keep("agent:a1", "job", scheduler.Progress{Last: o.At, History: []scheduler.Outcome{o}})
	if err := f.as("agent:a1").Pause(f.Context(), "job"); err != nil {
		f.Fatal(err)
	}
	f.wait(time.Minute)
	other := scheduler.Job{Type: scheduler.PromptJob, Agent: "a2", Prompt: "hello"}
	if _, err := f.as("agent:a1").Add(f.Context(), "job", other, scheduler.Schedule{Every: time.Second}); err != nil {
		f.Fatal(err)
	}
	e, err := f.as("agent:a1").Get(f.Context(), "job")
	want := f.env.Effects.Now().Add(time.Second)
	if err != nil || e.Job.Type != scheduler.PromptJob || e.Paused || len(e.Progress.History) != 1 || e.Progress.Next.Sub(want).Abs() > time.Millisecond {
		f.Errorf("the job that was added again is %+v, %v, want a prompt with its history, due at %v", e, err, want)
	}
}

func pauseAndResume(f *fixture) {
	f.add("agent:a1", "job", "a1")
	for range 2 {
		if err := f.as("agent:a1").Pause(f.Context(), "job"); err != nil {
			f.Fatal(err)
		}
		if e, err := f.as("agent:a1").Get(f.Context(), "job"); err != nil || !e.Paused {
			f.Errorf("after Pause the job is %+v, %v", e, err)
		}
	}
	f.wait(3 * time.Hour)
	if err := f.as("agent:a1").Resume(f.Context(), "job"); err != nil {
		f.Fatal(err)
	}
	e, err := f.as("agent:a1").Get(f.Context(), "job")
	if want := f.env.Effects.Now().Add(time.Hour); err != nil || e.Paused || e.Progress.Next.Sub(want).Abs() > time.Millisecond {
		f.Errorf("after Resume the job is %+v, %v, want it due at %v", e, err, want)
	}
}

func invalid(f *fixture) {
	for text, add := range map[string]struct {
		job scheduler.Job
		s   scheduler.Schedule
	}{
		"Schedule must have either":            {greet("a1"), scheduler.Schedule{}},
		"cannot have both":                     {greet("a1"), scheduler.Schedule{Every: time.Hour, Cron: "* * * * *"}},
		"Invalid interval format":              {greet("a1"), scheduler.Schedule{Every: time.Millisecond}},
		"cron expression needs five fields":    {greet("a1"), scheduler.Schedule{Cron: "soon"}},
		"Start date must be before":            {greet("a1"), scheduler.Schedule{Every: time.Hour, Start: time.Unix(2e9, 0), End: time.Unix(1e9, 0)}},
		"never be due":                         {greet("a1"), scheduler.Schedule{Every: time.Hour, End: f.env.Effects.Now().Add(time.Minute)}},
		"Job type must be either":              {scheduler.Job{Agent: "a1"}, hourly()},
		"Job must have an agentId":             {scheduler.Job{Type: scheduler.SkillJob, Skill: "x"}, hourly()},
		"Skill job must have a skillName":      {scheduler.Job{Type: scheduler.SkillJob, Agent: "a1"}, hourly()},
		"Prompt job must have a prompt":        {scheduler.Job{Type: scheduler.PromptJob, Agent: "a1"}, hourly()},
		"Trigger job must have a triggerName":  {scheduler.Job{Type: scheduler.TriggerJob, Agent: "a1"}, hourly()},
		"maxRetries is a number from 0 to 100": {scheduler.Job{Type: scheduler.PromptJob, Agent: "a1", Prompt: "x", MaxRetries: 101}, hourly()},
		"timeout is at most":                   {scheduler.Job{Type: scheduler.PromptJob, Agent: "a1", Prompt: "x", Timeout: 25 * time.Hour}, hourly()},
		"args of a job are an object":          {scheduler.Job{Type: scheduler.SkillJob, Agent: "a1", Skill: "x", Args: value.Of("y")}, hourly()},
	} {
		_, err := f.as("agent:a1").Add(f.Context(), "job", add.job, add.s)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), text) {
			f.Errorf("Add = %v, want INVALID with %q", err, text)
		}
	}
	huge := scheduler.Job{Type: scheduler.PromptJob, Agent: "a1", Prompt: strings.Repeat("x", scheduler.MaxBytes)}
	_, err := f.as("agent:a1").Add(f.Context(), "job", huge, hourly())
	f.wantKind("Add of a huge job", err, fault.Limit)
	if list, err := f.as("agent:a1").List(f.Context(), "", 0); err != nil || len(list.Entries) != 0 {
		f.Errorf("after jobs that were refused there are %+v, %v", list, err)
	}
}

func traversal(f *fixture) {
	for _, id := range []string{
		"../x", `..\x`, "%2e%2e%2fx", "..%2fx", "/etc/passwd", `C:\x`, `\\?\C:\x`, "a/../../x", "a\x00b", ".", "..", "", strings.Repeat("x", 5000),
		"CON", "x.", "x ", "․․/", ".hidden", "a/b", "a\nb", strings.Repeat("x", 201), "\xff",
	} {
		for _, op := range operations() {
			if !op.all {
				f.wantKind(fmt.Sprintf("%s(%.40q)", op.name, id), op.do(f.Context(), f.as("agent:a1"), id), fault.Invalid)
			}
		}
	}
	if list := f.denials.Take(); len(list) > 0 {
		f.Errorf("names that cannot be are no denials, the audit was told of %+v", list)
	}
}

// ids are those of a listing, page by page.
func (f *fixture) ids(who string, limit int) []string {
	f.Helper()
	var ids []string
	for after := ""; ; {
		page, err := f.as(who).List(f.Context(), after, limit)
		if err != nil {
			f.Fatalf("List as %s: %v", who, err)
		}
		if len(page.Entries) > limit {
			f.Fatalf("a page of %d entries, want at most %d", len(page.Entries), limit)
		}
		for _, e := range page.Entries {
			ids = append(ids, e.ID)
		}
		if after = page.Next; after == "" {
			return ids
		}
	}
}

func listing(f *fixture) {
	want := []string{"a", "a b", "a-b", "a.json", "b", "job-1", "job-10", "job-2"}
	for _, id := range want {
		f.add("agent:a1", id, "a1")
	}
	f.add("agent:a2", "a2-job", "a1")
	f.add("team:ta", "team-job", "a1")
	f.add("agent:b1", "b-job", "b1")
	for _, limit := range []int{1, 3, 100} {
		if got := f.ids("agent:a1", limit); !slices.Equal(got, want) {
			f.Errorf("pages of %d: %q, want %q", limit, got, want)
		}
	}
	for who, id := range map[string]string{"agent:a2": "a2-job", "team:ta": "team-job", "agent:b1": "b-job"} {
		if got := f.ids(who, 100); !slices.Equal(got, []string{id}) {
			f.Errorf("%s sees %q, want %q alone", who, got, id)
		}
	}
	if got := f.ids("user:u1", 100); len(got) != 0 {
		f.Errorf("who added nothing sees %q", got)
	}
	n := 0
	for e, err := range f.service.All(f.Context()) {
		if n++; err != nil || e.ACL.Empty() {
			f.Errorf("All gives %+v, %v", e, err)
		}
	}
	if n != len(want)+3 {
		f.Errorf("All gives %d jobs, want %d", n, len(want)+3)
	}
	_, err := f.as("agent:b1").Get(f.Context(), "a")
	f.wantKind("Get of a job of somebody else", err, fault.NotFound)
}

func nobodyIsRefused(f *fixture) {
	f.add("agent:a1", "job", "a1")
	for _, who := range []string{"agent:stranger", "public"} {
		for _, op := range operations() {
			f.wantKind(op.name+" as "+who, op.do(f.Context(), f.as(who), "job"), fault.Denied)
			if list := f.denials.Take(); len(list) != 1 || list[0].Operation != op.name {
				f.Errorf("%s as %s: the audit was told of %+v, want one denial", op.name, who, list)
			}
		}
	}
	for _, op := range operations() {
		f.wantKind(op.name+" as nobody", op.do(f.Context(), f.service.For(access.Candidate{}), "job"), fault.Denied)
	}
}

func foreignAgent(f *fixture) {
	_, err := f.as("agent:a1").Add(f.Context(), "job", greet("b1"), hourly())
	if want := "Candidate a1 is not authorized to schedule a job for agent b1"; !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), want) {
		f.Errorf("Add for an agent of another team = %v, want %q", err, want)
	}
	if list := f.denials.Take(); len(list) != 1 || list[0].Operation != "scheduler.add" {
		f.Errorf("the audit was told of %+v, want one denial", list)
	}
	_, err = f.as("agent:a1").Add(f.Context(), "job", greet("unknown"), hourly())
	f.wantKind("Add for an agent that nobody knows", err, fault.Denied)
	if got := f.ids("agent:a1", 10); len(got) != 0 {
		f.Errorf("after refusals there are %q", got)
	}
}

// A job whose agent has left the team is out of reach from that moment, and so are the jobs of who has left.
func teamChanges(f *fixture) {
	f.add("agent:a1", "job", "a2")
	f.teams.Move("a2", "tb")
	for _, op := range operations() {
		if op.name != "scheduler.list" {
			f.wantKind(op.name+" with the agent in another team", op.do(f.Context(), f.as("agent:a1"), "job"), fault.Denied)
		}
	}
	if got := f.ids("agent:a1", 10); len(got) != 0 {
		f.Errorf("with the agent in another team the list has %q", got)
	}
	f.teams.Move("a2", "ta")
	if got := f.ids("agent:a1", 10); !slices.Equal(got, []string{"job"}) {
		f.Errorf("with the agent back the list has %q", got)
	}
	f.teams.Move("a1", "tb")
	_, err := f.as("agent:a1").Get(f.Context(), "job")
	f.wantKind("Get after leaving the team", err, fault.Denied)
}

// grant gives a grant on a job, as the service would.
func grant[L access.Level](f *fixture, who, id string) access.Grant[L] {
	f.Helper()
	c, err := access.Parse(who)
	if err != nil {
		f.Fatal(err)
	}
	g, err := access.Authorize[L](f.Context(), nil, "check", c, scheduler.Address{Owner: c, ID: id}.String(), access.OwnedBy(c))
	if err != nil {
		f.Fatal(err)
	}
	return g
}

func (f *fixture) keep(who, id string, p scheduler.Progress) {
	f.Helper()
	if err := f.conn.Keep(f.Context(), grant[access.Write](f, who, id), p); err != nil {
		f.Fatalf("Keep: %v", err)
	}
}

func (f *fixture) wait(d time.Duration) {
	f.Helper()
	if err := f.env.Effects.Sleep(f.Context(), d); err != nil {
		f.Fatal(err)
	}
}

func oneLease(f *fixture) {
	f.add("agent:a1", "job", "a1")
	f.add("agent:a1", "other", "a1")
	f.add("agent:a2", "job", "a1")
	release, err := f.conn.Lease(f.Context(), grant[access.Write](f, "agent:a1", "job"))
	if err != nil {
		f.Fatal(err)
	}
	_, err = f.conn.Lease(f.Context(), grant[access.Write](f, "agent:a1", "job"))
	f.wantKind("a second lease", err, fault.Conflict)
	for _, free := range []string{"agent:a1/other", "agent:a2/job"} {
		who, id, _ := strings.Cut(free, "/")
		other, err := f.conn.Lease(f.Context(), grant[access.Write](f, who, id))
		if err != nil {
			f.Fatalf("the lease of %s: %v", free, err)
		}
		if err := other(); err != nil {
			f.Error(err)
		}
	}
	if err := release(); err != nil {
		f.Error(err)
	}
	again, err := f.conn.Lease(f.Context(), grant[access.Write](f, "agent:a1", "job"))
	if err != nil {
		f.Fatalf("the lease after its release: %v", err)
	}
	if err := again(); err != nil {
		f.Error(err)
	}
}

func history(f *fixture) {
	most := f.conn.Policy().History
	f.add("agent:a1", "job", "a1")
	var p scheduler.Progress
	for i := range most + 5 {
		at := f.env.Effects.Now().Add(-time.Duration(i) * time.Minute).Truncate(time.Millisecond)
		p.History = append(p.History, scheduler.Outcome{At: at, Error: "no.\n" + fmt.Sprint(i), Took: time.Duration(i) * time.Millisecond, Retries: i % 3})
	}
	p.Last, p.Next = p.History[0].At, p.History[0].At.Add(time.Hour)
	f.keep("agent:a1", "job", p)
	e, err := f.as("agent:a1").Get(f.Context(), "job")
	if err != nil || len(e.Progress.History) != most || !e.Progress.Last.Equal(p.Last) || !e.Progress.Next.Equal(p.Next) {
		f.Fatalf("%d outcomes are kept, last %v, next %v, %v, want %d", len(e.Progress.History), e.Progress.Last, e.Progress.Next, err, most)
	}
	for i, got := range e.Progress.History {
		if got.Value().JSON() != p.History[i].Value().JSON() {
			f.Fatalf("outcome %d is %s, want %s", i, got.Value().JSON(), p.History[i].Value().JSON())
		}
	}
	if err := f.as("agent:a1").Delete(f.Context(), "job"); err != nil {
		f.Fatal(err)
	}
	f.wantKind("Keep after Delete", f.conn.Keep(f.Context(), grant[access.Write](f, "agent:a1", "job"), p), fault.NotFound)
	f.add("agent:a1", "job", "a1")
	if e, err := f.as("agent:a1").Get(f.Context(), "job"); err != nil || len(e.Progress.History) != 0 {
		f.Errorf("a new job of the same id has the history %+v, %v", e.Progress.History, err)
	}
}

func canceled(f *fixture) {
	f.add("agent:a1", "job", "a1")
	ctx, cancel := context.WithCancel(f.Context())
	cancel()
	for _, op := range operations() {
		f.wantKind(op.name+" of a caller who went away", op.do(ctx, f.as("agent:a1"), "job"), fault.Canceled)
	}
	if list := f.denials.Take(); len(list) > 0 {
		f.Errorf("the audit was told of %+v", list)
	}
}

// What many do at once to one job leaves it whole.
func concurrent(f *fixture) {
	f.add("agent:a1", "job", "a1")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 10 {
				var err error
				switch (i + n) % 4 {
				case 0:
					err = f.as("agent:a1").Pause(f.Context(), "job")
				case 1:
					err = f.as("agent:a1").Resume(f.Context(), "job")
				case 2:
					_, err = f.as("agent:a1").Add(f.Context(), "job", greet("a2"), hourly())
				default:
					_, err = f.as("agent:a1").List(f.Context(), "", 0)
				}
				if err != nil {
					f.Errorf("operation %d: %v", (i+n)%4, err)
				}
			}
		})
	}
	wg.Wait()
	if e, err := f.as("agent:a1").Get(f.Context(), "job"); err != nil || e.Job.Skill != "greet" || e.Progress.Next.IsZero() {
		f.Errorf("the job is %+v, %v", e, err)
	}
}
