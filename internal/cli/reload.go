package cli

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"sync"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/httpserver"
	"github.com/sre-go/sre/internal/kernel"
	"github.com/sre-go/sre/internal/reload"
	"github.com/sre-go/sre/secret"
)

// serving is a runtime that is served, and replaced when its configuration changes. Runs under way, background jobs
// included, come to their end in the runtime they began in.
type serving struct {
	app   *app
	paths []string // of agent files and folders
	flags serveFlags
	log   *slog.Logger

	token   secret.Value // of the operator, the same for all runtimes
	created bool         // by this start

	mu    sync.Mutex
	rt    *sre.Runtime
	at    net.Addr // of the listener; nil until there is one
	relay *httpserver.Relay
	old   sync.WaitGroup // runtimes that come to their end
}

// newServing starts what is served first.
func (a *app) newServing(ctx context.Context, paths []string, f serveFlags) (*serving, []*sre.Agent, error) {
	log, err := a.logger()
	if err != nil {
		return nil, nil, err
	}
	s := &serving{app: a, paths: paths, flags: f, log: log}
	rt, server, agents, err := s.boot(ctx)
	if err != nil {
		return nil, nil, err
	}
	s.rt, s.relay = rt, httpserver.NewRelay(server)
	return s, agents, nil
}

// boot starts a runtime with its agents and the server in front of it.
func (s *serving) boot(ctx context.Context) (*sre.Runtime, *httpserver.Server, []*sre.Agent, error) {
	rt, err := s.app.start(ctx, sre.WithPublicURL(s.flags.public))
	if err != nil {
		return nil, nil, nil, err
	}
	agents, err := s.app.loadAll(ctx, rt, s.paths)
	if err == nil && s.token.IsZero() {
		s.token, s.created, err = s.app.token(rt)
	}
	if err == nil {
		var server *httpserver.Server
		if server, err = s.app.server(rt, s.flags, s.token, s.log); err == nil {
			rt.RunJobs(ctx)
			return rt, server, agents, nil
		}
	}
	return nil, nil, nil, errors.Join(err, rt.Close(context.WithoutCancel(ctx)))
}

// run serves until ctx ends, and follows the changes of files meanwhile.
func (s *serving) run(ctx context.Context, serve func(context.Context) error) error {
	watching, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() { s.watch().Run(watching) })
	watcher.Go(func() { // jobs come to their end while requests do
		<-watching.Done()
		s.runtime().EndJobs(context.WithoutCancel(ctx))
	})
	err := serve(ctx)
	stop()
	watcher.Wait()
	s.old.Wait()
	return errors.Join(err, s.rt.Close(context.Background()))
}

// runtime returns the runtime that is served now.
func (s *serving) runtime() *sre.Runtime {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rt
}

// listening tells the runtime where its agents are served.
func (s *serving) listening(at net.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = at
	s.tell()
}

// succeed puts a runtime in the place of the one before, which it returns.
func (s *serving) succeed(rt *sre.Runtime) (before *sre.Runtime) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, s.rt = s.rt, rt
	s.tell()
	return before
}

// tell lets the runtime know its server, once there is one. The caller holds the lock.
func (s *serving) tell() {
	if s.at == nil {
		return
	}
	if err := s.rt.Listening(s.at, s.flags.hosts...); err != nil {
		s.log.Warn("agents that call this server are not counted", "error", err.Error())
	}
}

// watch looks at the agent files, and at the configuration of the data folder and of the home folder.
func (s *serving) watch() *reload.Watch {
	var paths []string
	for _, p := range s.paths {
		paths = append(paths, s.app.path(p))
	}
	return reload.New(reload.Config{
		Paths: slices.Concat(paths, s.configFiles()), Extension: sre.Extension, Limit: int64(s.rt.Limits().SmythBytes),
		Changed: s.changed, Gone: s.gone, Effects: effect.System{}, Log: s.log,
	})
}

func (s *serving) configFiles() []string {
	files := []string{filepath.Join(s.rt.Dir(), kernel.ConfigFile)}
	if s.app.Home != "" {
		files = append(files, filepath.Join(s.app.Home, ".smyth", kernel.ConfigFile))
	}
	return files
}

func (s *serving) changed(ctx context.Context, path string) error {
	if slices.Contains(s.configFiles(), path) {
		return s.replace(ctx)
	}
	_, err := s.rt.ReloadFile(ctx, path)
	return err
}

// gone unloads the agent whose file is no longer there.
func (s *serving) gone(ctx context.Context, path string) error {
	if slices.Contains(s.configFiles(), path) {
		return s.replace(ctx)
	}
	return s.rt.UnloadFile(ctx, path)
}

// replace starts a runtime with the configuration as it is now. When it does not start, the one before stays.
func (s *serving) replace(ctx context.Context) error {
	rt, server, _, err := s.boot(ctx)
	if err != nil {
		return err
	}
	before := s.succeed(rt)
	answered := s.relay.Replace(server)
	s.old.Go(func() {
		waiting := context.WithoutCancel(ctx)
		before.EndJobs(waiting)
		answered()
		for _, a := range before.Manager().Agents() {
			if err := a.WaitJobs(ctx); err != nil {
				break // the server stops: what is left is told so
			}
		}
		if err := before.Close(waiting); err != nil {
			s.log.Warn("the runtime of the configuration before did not close", "error", err.Error())
		}
	})
	return nil
}
