package sre

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/value"
)

// Agent is a loaded agent. It is safe for concurrent use.
type Agent struct {
	*agent.Agent
	runtime *Runtime
}

// Services returns every service, bound to the agent.
func (a *Agent) Services() scope.Scope { return a.runtime.As(a.Candidate()) }

// Request is one request to an agent, see [Agent.Run].
type Request = agent.Request

// Response is what a request came to.
type Response = agent.Response

// Extension is how the names of agent files end.
const Extension = ".smyth"

// Read reads and checks an agent file without loading it.
func (rt *Runtime) Read(path string) (*agentfile.Document, error) {
	text, err := disk.ReadFile(path, int64(rt.config.Limits.SmythBytes))
	if err != nil {
		return nil, err
	}
	doc, err := agentfile.Parse(text, rt.agents.Bounds())
	if err != nil {
		return nil, &fault.Error{Op: "agent.load", Resource: path, Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: errors.Unwrap(err)}
	}
	return doc, nil
}

// Problems returns everything that is wrong with an agent file that was read: faults of the file, component types that
// this runtime does not have, settings that break a rule.
func (rt *Runtime) Problems(doc *agentfile.Document) agentfile.Problems {
	return rt.agents.Problems(doc)
}

// LoadFile loads the agent of a file. Its id is the one in the file, or the name of the file when there is none.
func (rt *Runtime) LoadFile(ctx context.Context, path string) (*Agent, error) {
	doc, err := rt.Read(path)
	if err != nil {
		return nil, err
	}
	id := doc.ID
	if id == "" {
		id = idOf(path)
	}
	a, err := rt.agents.Load(ctx, doc, agent.Options{ID: id})
	if err != nil {
		return nil, &fault.Error{Op: "agent.load", Resource: path, Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: err}
	}
	return &Agent{a, rt}, rt.loaded(ctx, path, id)
}

// ReloadFile is LoadFile for a file that has changed: the agent of its id is replaced. Runs under way, and the background
// jobs they have started, go on with the program they started with. A file that is wrong is refused whole, and the agent
// that is loaded stays; so is one with faults that the loaded agent does not have.
func (rt *Runtime) ReloadFile(ctx context.Context, path string) (*Agent, error) {
	doc, err := rt.Read(path)
	if err != nil {
		return nil, err
	}
	id := doc.ID
	if id == "" {
		id = idOf(path)
	}
	if loaded, ok := rt.agents.Agent(id); ok && rt.Problems(loaded.Document()).Err(agentfile.Error) == nil {
		if err := rt.Problems(doc).Err(agentfile.Error); err != nil {
			return nil, err
		}
	}
	a, err := rt.agents.Replace(ctx, doc, agent.Options{ID: id})
	if err != nil {
		return nil, &fault.Error{Op: "agent.reload", Resource: path, Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: err}
	}
	return &Agent{a, rt}, rt.loaded(ctx, path, id)
}

// UnloadFile takes the agent away that a file was loaded as: nobody can call it from now on. Runs under way go on, its
// background jobs are cancelled. A file that was not loaded is [fault.NotFound].
func (rt *Runtime) UnloadFile(ctx context.Context, path string) error {
	rt.mu.Lock()
	id, ok := rt.files[path]
	delete(rt.files, path)
	rt.mu.Unlock()
	if a, loaded := rt.agents.Agent(id); ok && loaded {
		return a.Close(ctx)
	}
	return &fault.Error{Op: "agent.unload", Resource: path, Kind: fault.NotFound}
}

// loaded notes which agent a file was loaded as. A file that now holds another agent takes the one before away.
func (rt *Runtime) loaded(ctx context.Context, path, id string) error {
	rt.mu.Lock()
	if rt.files == nil {
		rt.files = map[string]string{}
	}
	before, ok := rt.files[path]
	rt.files[path] = id
	rt.mu.Unlock()
	if a, there := rt.agents.Agent(before); ok && before != id && there {
		return a.Close(ctx)
	}
	return nil
}

// idOf makes an id of the name of a file: what is no letter or digit becomes a hyphen.
func idOf(path string) string {
	base := strings.TrimSuffix(filepath.Base(path), Extension)
	id := strings.Map(func(r rune) rune {
		if access.ValidID(string(r)) == nil {
			return r
		}
		return '-'
	}, base)
	return strings.Trim(id, "-")
}

// Load loads an agent that was read already.
func (rt *Runtime) Load(ctx context.Context, doc *agentfile.Document) (*Agent, error) {
	a, err := rt.agents.Load(ctx, doc, agent.Options{})
	if err != nil {
		return nil, err
	}
	return &Agent{a, rt}, nil
}

// LoadID loads an agent that the AgentData service knows: its development version for "", else what is deployed.
func (rt *Runtime) LoadID(ctx context.Context, id, version string) (*Agent, error) {
	c, err := access.Agent(id)
	if err != nil {
		return nil, err
	}
	doc, err := rt.find(ctx, rt.As(c), id, version)
	if err != nil {
		return nil, err
	}
	a, err := rt.agents.Load(ctx, doc, agent.Options{ID: id})
	if err != nil {
		return nil, err
	}
	return &Agent{a, rt}, nil
}

// find reads an agent of the AgentData service as a candidate.
func (rt *Runtime) find(ctx context.Context, as scope.Scope, id, version string) (*agentfile.Document, error) {
	found, err := as.AgentData().Get(ctx, id, version)
	if err != nil {
		return nil, err
	}
	return agentfile.FromValue(found.Data, rt.agents.Bounds())
}

// LoadFolder loads every agent file of a folder, but not of the folders in it. It loads what can be loaded: the error
// joins those of all files that cannot.
func (rt *Runtime) LoadFolder(ctx context.Context, dir string) ([]*Agent, error) {
	names, err := disk.Names(dir)
	if err != nil {
		return nil, err
	}
	var (
		agents []*Agent
		errs   []error
	)
	for _, name := range names {
		if !strings.HasSuffix(name, Extension) {
			continue
		}
		a, err := rt.LoadFile(ctx, filepath.Join(dir, name))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		agents = append(agents, a)
	}
	if len(agents)+len(errs) == 0 {
		err := fault.Newf(fault.NotFound, "no file of the folder ends in %s", Extension)
		return nil, &fault.Error{Op: "agent.load", Resource: dir, Kind: fault.NotFound, Err: err}
	}
	return agents, errors.Join(errs...)
}

// Agent returns a loaded agent by id.
func (rt *Runtime) Agent(id string) (*Agent, bool) {
	a, ok := rt.agents.Agent(id)
	return &Agent{a, rt}, ok
}

// Skill is something an agent can do.
type Skill struct {
	Name        string
	Method      string
	Description string
	Inputs      []component.NodePort
}

// Skills returns what the agent can do, in the order of its file.
func (a *Agent) Skills() []Skill {
	var skills []Skill
	for i := range a.Document().Components {
		c := &a.Document().Components[i]
		inst := a.Plan().Instance(i)
		if inst == nil || !inst.Traits.Endpoint {
			continue
		}
		s := Skill{Name: c.Settings.GetString("endpoint"), Method: strings.ToUpper(c.Settings.GetString("method")), Inputs: c.Inputs}
		if s.Method == "" {
			s.Method = "POST"
		}
		for _, key := range []string{"description", "summary", "doc"} {
			if s.Description == "" {
				s.Description = c.Settings.GetString(key)
			}
		}
		skills = append(skills, s)
	}
	return skills
}

// Skill returns a skill by name; the error names the nearest one.
func (a *Agent) Skill(name string) (Skill, error) {
	all := a.Skills()
	i := slices.IndexFunc(all, func(s Skill) bool { return s.Name == name })
	if i >= 0 {
		return all[i], nil
	}
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	return Skill{}, fault.New(fault.NotFound, schema.UnknownName("skill", name, names))
}

// Call runs a skill with an object of inputs and returns its answer, see [Agent.Answer].
func (a *Agent) Call(ctx context.Context, skill string, inputs value.Value) (value.Value, error) {
	s, err := a.Skill(skill)
	if err != nil {
		return value.Value{}, err
	}
	req := Request{Method: s.Method, Path: "/api/" + s.Name, Body: inputs}
	if s.Method == "GET" {
		req.Body, req.Query = value.Value{}, inputs
	}
	return a.Answer(ctx, req)
}

// Answer runs a request and returns its answer. A run that ends without one, because components wait for inputs, is an
// error that names them.
func (a *Agent) Answer(ctx context.Context, req Request) (value.Value, error) {
	res, err := a.Run(ctx, req)
	if err != nil {
		return value.Value{}, err
	}
	if err := a.Explain(&req, res); err != nil {
		return value.Value{}, err
	}
	return res.Data, nil
}
