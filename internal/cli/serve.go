package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/httpserver"
	"github.com/sre-go/sre/internal/publicfile"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/observe/logsink"
	"github.com/sre-go/sre/value"
)

// defaultAddress is where agents are served unless told otherwise: reachable from this machine alone.
const defaultAddress = "127.0.0.1:5050"

type serveFlags struct {
	listen string
	open   bool
	hosts  []string
	public string // what the addresses begin with that agents give away
}

func (a *app) serve() *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use:   "serve FILE|FOLDER ...",
		Short: "Serve agents over HTTP",
		Long: "Serves every agent of the given files and folders until it is interrupted. It listens on this machine alone and\n" +
			"wants a token; the first start makes one, prints it and keeps it in the data folder. A single agent answers at\n" +
			"/api/<skill>, each of several at /agents/<id>/api/<skill>; /agents/<id>/openapi.json describes it.",
		Example: "  sre serve hello.smyth\n  sre serve agents/ --listen 127.0.0.1:8080",
		Args:    arguments(1, -1, "agent files or folders of them"),
		RunE:    func(c *cobra.Command, args []string) error { return a.runServe(c.Context(), args, f) },
	}
	c.Flags().StringVar(&f.listen, "listen", defaultAddress, "address to listen on; 0 as port takes a free one")
	c.Flags().BoolVar(&f.open, "open", false, "answer callers without the token")
	c.Flags().StringVar(&f.public, "public-url", "", "what the addresses of public files begin with, such as https://agents.example.com; the address that is listened on without")
	c.Flags().StringSliceVar(&f.hosts, "host", nil, "a name by which callers may address the server besides its address")
	return c
}

func (a *app) runServe(ctx context.Context, paths []string, f serveFlags) error {
	ln, err := httpserver.Listen(ctx, f.listen)
	if err != nil {
		return err
	}
	if f.public == "" {
		f.public = "http://" + ln.Addr().String()
	}
	s, agents, err := a.newServing(ctx, paths, f)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	return s.run(ctx, func(ctx context.Context) error {
		s.listening(ln.Addr())
		if err := a.announce(s.rt, agents, ln, s.token, s.created, f.open); err != nil {
			return errors.Join(err, ln.Close())
		}
		return s.relay.Serve(ctx, ln)
	})
}

// server is what answers requests to the agents of a runtime.
func (a *app) server(rt *sre.Runtime, f serveFlags, token secret.Value, log *slog.Logger) (*httpserver.Server, error) {
	rt.Secrets().Note("", token) // it is in no answer and no line of the log
	return httpserver.New(httpserver.Config{
		Agents: rt.Manager(), Token: token, Open: f.open, Hosts: f.hosts, Health: rt.Health, Limits: rt.Limits(),
		Log:      slog.New(logsink.Screen(log.Handler(), rt.Secrets())),
		Accounts: rt.Accounts(),
		Hops:     rt.Hops(),
		Files:    publicfile.NewHandler(rt.As),
	})
}

// loadAll loads the agents of files and folders. What cannot be loaded is reported; it is an error when nothing can.
func (a *app) loadAll(ctx context.Context, rt *sre.Runtime, paths []string) ([]*sre.Agent, error) {
	var (
		agents []*sre.Agent
		errs   []error
	)
	for _, p := range paths {
		var (
			found []*sre.Agent
			err   error
		)
		if path := a.path(p); disk.IsFolder(path) {
			found, err = rt.LoadFolder(ctx, path)
		} else if one, failed := rt.LoadFile(ctx, path); failed != nil {
			err = failed
		} else {
			found = append(found, one)
		}
		agents = append(agents, found...)
		if err != nil {
			errs = append(errs, err)
		}
	}
	if len(agents) == 0 {
		return nil, errors.Join(errs...)
	}
	for _, err := range errs {
		a.fail(err)
	}
	return agents, nil
}

// token returns the token of the operator. A runtime without a data folder gets a new one at every start.
func (a *app) token(rt *sre.Runtime) (token secret.Value, created bool, err error) {
	if rt.Dir() == "" {
		return secret.New(effect.System{}.NewID()), true, nil
	}
	folder := disk.Later(rt.Dir())
	defer func() { err = errors.Join(err, folder.Close()) }()
	return httpserver.LoadOrMakeToken(folder, effect.System{})
}

// announce says what is served and how to call it. A token is shown once, when it is made.
func (a *app) announce(rt *sre.Runtime, agents []*sre.Agent, ln net.Listener, token secret.Value, created, open bool) error {
	url := "http://" + ln.Addr().String()
	file := filepath.Join(rt.Dir(), httpserver.TokenFile)
	if a.json {
		return a.show(announcement(url, file, agents, token, created))
	}
	lines := []string{"serving on " + url, ""}
	width := 0
	for _, agent := range agents {
		for _, s := range agent.Skills() {
			width = max(width, len(s.Method+" "+skillPath(agents, agent, s)))
		}
	}
	for _, agent := range agents {
		for _, s := range agent.Skills() {
			line := "  " + pad(s.Method+" "+skillPath(agents, agent, s), width+2) + strings.Join(strings.Fields(s.Description), " ")
			lines = append(lines, strings.TrimRight(line, " "))
		}
	}
	lines = append(lines, "")
	switch {
	case open:
		lines = append(lines, "anybody who reaches this address may call these agents (--open)")
	case created:
		lines = append(lines, "the token, kept in "+file+" and shown only this once:", "  "+token.Reveal())
	default:
		lines = append(lines, "the token lies in "+file)
	}
	if example := curl(url, agents, open); example != "" {
		lines = append(lines, "", "try", "  "+example)
	}
	_, err := io.WriteString(a.Out, strings.Join(lines, "\n")+"\n")
	return err
}

func announcement(url, file string, agents []*sre.Agent, token secret.Value, created bool) value.Value {
	list := make([]value.Value, len(agents))
	for i, agent := range agents {
		list[i] = value.Obj(value.M("id", value.Of(agent.ID())), value.M("name", value.Of(agent.Document().Name)), value.M("skills", skillList(agent.Skills())))
	}
	v := value.Obj(value.M("url", value.Of(url)), value.M("agents", value.OfItems(list)), value.M("tokenFile", value.Of(file)))
	if created {
		v = v.With("token", value.Of(token.Reveal()))
	}
	return v
}

// skillPath is where a skill is reached.
func skillPath(agents []*sre.Agent, agent *sre.Agent, s sre.Skill) string {
	if len(agents) == 1 {
		return "/api/" + s.Name
	}
	return "/agents/" + agent.ID() + "/api/" + s.Name
}

// curl is a call of the first skill, to be tried as it is.
func curl(url string, agents []*sre.Agent, open bool) string {
	for _, agent := range agents {
		for _, s := range agent.Skills() {
			if s.Method != "POST" {
				continue
			}
			body := value.NewBuilder(len(s.Inputs))
			for _, in := range s.Inputs {
				if !in.Optional && !in.DefaultVal.Truthy() {
					body.Set(in.Name, value.Of("..."))
				}
			}
			call := "curl " + url + skillPath(agents, agent, s) + " --json '" + body.Build().JSON() + "'"
			if !open {
				call += ` -H "Authorization: Bearer $TOKEN"`
			}
			return call
		}
	}
	return ""
}
