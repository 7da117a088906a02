package sre

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// Option changes how a runtime is started.
type Option func(*options)

// options are what [Start] works with. The zero value reads nothing of the machine.
type options struct {
	dir           string // data folder; empty to look for one
	work          string // folder that agents are started from; empty for none
	home          string // home folder of the user; empty for none
	getenv        func(string) string
	config        value.Value // the strongest layer
	log           *slog.Logger
	effects       effect.Source
	http          *http.Client
	middleware    []engine.Middleware
	trace         func(*engine.Job)
	componentLogs bool
	ask           func(ctx context.Context, question string) (secret.Value, error)
	perComponent  bool
	modelServer   string
	publicURL     string
}

func newOptions(opts []Option) (*options, error) {
	o := &options{log: slog.New(slog.DiscardHandler), effects: systemEffects(), getenv: func(string) string { return "" }}
	for _, set := range opts {
		set(o)
	}
	return o, nil
}

// WithDir sets the data folder, instead of the one that is found: $SMYTH_PATH, .smyth in the working folder or above
// it beside a package.json, or .smyth in the home folder.
func WithDir(dir string) Option { return func(o *options) { o.dir = dir } }

// WithMachine lets the runtime read its configuration from the machine: the working folder, the home folder and the
// environment. Without it a runtime knows nothing but what the other options say.
func WithMachine(work, home string, getenv func(string) string) Option {
	return func(o *options) { o.work, o.home, o.getenv = work, home, getenv }
}

// WithConfig adds the strongest layer of configuration, in the form of a configuration file.
func WithConfig(config value.Value) Option { return func(o *options) { o.config = config } }

// WithLog sets where the runtime reports what it does. The default is nowhere.
func WithLog(log *slog.Logger) Option { return func(o *options) { o.log = log } }

// WithPublicURL says what the addresses begin with that agents give away, such as those of public files, when a server
// answers there, as that of `sre serve` does. A configuration that names a connector for Router is not changed.
func WithPublicURL(address string) Option { return func(o *options) { o.publicURL = address } }

// WithModelServer sets the address of the server that models of the provider openai-compatible are asked of, as
// OPENAI_COMPATIBLE_BASE_URL does. A configuration that names connectors for LLM itself is not changed.
func WithModelServer(address string) Option { return func(o *options) { o.modelServer = address } }

// WithEffects sets the source of time, ids and randomness; for tests.
func WithEffects(e effect.Source) Option { return func(o *options) { o.effects = e } }

// WithHTTPClient sets the way out, instead of one that keeps the egress policy; for tests.
func WithHTTPClient(c *http.Client) Option { return func(o *options) { o.http = c } }

// WithPrompt lets connectors ask whoever sits at the terminal, such as for the passphrase of a vault. ask shows the
// question and reads the answer without showing it. Without it nobody is asked.
func WithPrompt(ask func(ctx context.Context, question string) (secret.Value, error)) Option {
	return func(o *options) { o.ask = ask }
}

// WithMiddleware puts middleware around every component call, the first outermost.
func WithMiddleware(use ...Middleware) Option {
	return func(o *options) { o.middleware = append(o.middleware, use...) }
}

// WithTrace lets a function see and change every run before it starts.
func WithTrace(trace func(*engine.Job)) Option { return func(o *options) { o.trace = trace } }

// WithComponentLogs keeps the log lines of components for debug sessions.
func WithComponentLogs() Option { return func(o *options) { o.componentLogs = true } }

// WithCallCount counts the calls of each component against the circular limit, as the TypeScript runtime does.
func WithCallCount() Option { return func(o *options) { o.perComponent = true } }
