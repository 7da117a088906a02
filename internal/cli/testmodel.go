package cli

import (
	"context"
	"fmt"
	"net"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/httpserver"
	"github.com/sre-go/sre/internal/testmodel"
	"github.com/sre-go/sre/value"
)

// maxScript bounds a script of the test model, in bytes.
const maxScript = 10 << 20

// testModelFlags say how the test model answers.
type testModelFlags struct {
	listen string
	script string
	seed   uint64
	faults testmodel.Faults
}

func (a *app) testmodel() *cobra.Command {
	var f testModelFlags
	c := &cobra.Command{
		Use:   "testmodel",
		Short: "Run a model server that answers by a script",
		Long: "Serves a model that needs no provider, no key and no network, so that an agent can be tried offline, and broken\n" +
			"on purpose. It speaks the protocols of OpenAI, Anthropic, Bedrock, Google and Ollama, and answers by the rules of --script, or\n" +
			"repeats what it is told. The same script, --seed and order of requests give the same answers. The flags for faults\n" +
			"concern every answer; a script has them for single ones. It ends when it is interrupted.\n\n" +
			"A script is a list of rules; the first one that fits answers:\n" +
			"  [{\"when\":{\"last_role\":\"user\"},\"reply\":{\"tools\":[{\"name\":\"greet\",\"args\":{\"name\":\"Ada\"}}]}},\n" +
			"   {\"reply\":{\"text\":\"I greeted her\"}}]\n" +
			"The guide docs/guides/testmodel.md has all of it.",
		Example: "  sre testmodel\n  sre testmodel --script answers.json --latency 200ms\n  sre testmodel --status 429\n  sre testmodel --cut 300\n" +
			"  sre testmodel --stall --json",
		Args: arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error { return a.runTestModel(c.Context(), f) },
	}
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:5055", "address of this machine to listen on; 0 as port takes a free one")
	c.Flags().StringVar(&f.script, "script", "", "a file with the rules to answer by")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "decides what the script leaves to chance")
	c.Flags().DurationVar(&f.faults.Latency, "latency", 0, "wait before every answer")
	c.Flags().IntVar(&f.faults.Cut, "cut", 0, "break every answer off after so many bytes")
	c.Flags().BoolVar(&f.faults.Stall, "stall", false, "stand still instead of answering, or with --cut instead of breaking off")
	c.Flags().IntVar(&f.faults.Status, "status", 0, "refuse every request with a status, such as 429, 529 or 500")
	_ = c.RegisterFlagCompletionFunc("script", cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveFilterFileExt))
	return c
}

func (a *app) runTestModel(ctx context.Context, f testModelFlags) error {
	if err := f.faults.Check(); err != nil {
		return usageError{err}
	}
	script, err := a.testScript(f.script)
	if err != nil {
		return err
	}
	if err := onThisMachine(f.listen); err != nil {
		return err
	}
	ln, err := httpserver.Listen(ctx, f.listen)
	if err != nil {
		return err
	}
	var broken error
	base, stop := context.WithCancel(ctx)
	defer stop()
	ready := make(chan struct{}) // the announcement comes before the first request
	server, err := testmodel.Serve(base, testmodel.Config{
		Script: script.With(f.faults), Effects: effect.System{}, Seed: f.seed, Listener: ln,
		Seen: func(x testmodel.Exchange) {
			<-ready
			if failed := a.logExchange(x); failed != nil {
				broken = failed // nobody reads any more
				stop()
			}
		},
	})
	if err != nil {
		return err
	}
	err = a.announceModel(server)
	close(ready)
	if err == nil {
		<-base.Done()
	}
	server.Close()
	if err == nil {
		err = broken // the server has ended: nobody writes it
	}
	return err
}

// testScript reads a script: a list of rules, or an object that has them as "llm" or "rules". Without one the model
// repeats what it is told.
func (a *app) testScript(file string) (testmodel.Script, error) {
	if file == "" {
		return testmodel.ParseScript(value.List(value.Obj(value.M("reply", value.Obj(value.M("echo", value.Of("last")))))))
	}
	text, err := disk.ReadFile(a.path(file), maxScript)
	if err != nil {
		return testmodel.Script{}, err
	}
	v, err := value.Decode(text, value.DefaultLimits())
	if err == nil {
		for _, name := range []string{"llm", "rules"} {
			if v.Get(name).IsArray() {
				v = v.Get(name)
				break
			}
		}
		if !v.IsArray() {
			err = fault.Newf(fault.Invalid, "a script is a list of rules")
		}
	}
	var script testmodel.Script
	if err == nil {
		script, err = testmodel.ParseScript(v)
	}
	if err != nil {
		return script, &fault.Error{Op: "testmodel", Resource: file, Kind: fault.Invalid, Err: err, Hint: "see sre testmodel --help"}
	}
	return script, nil
}

// onThisMachine refuses addresses that others reach: the server asks for no key.
func onThisMachine(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil // listening says what is wrong with it
	}
	ip := net.ParseIP(host)
	if host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return usageError{fault.Hint(fault.Newf(fault.Invalid, "the test model asks for no key, so it listens on this machine alone, not on %q", host), "use 127.0.0.1")}
}

// announceModel says where the model is and how an agent asks it.
func (a *app) announceModel(s *testmodel.Server) error {
	model := value.Obj(value.M("testmodel", value.Obj(
		value.M("provider", value.Of("OpenAICompatible")), value.M("modelId", value.Of("testmodel")), value.M("baseURL", value.Of(s.URL())),
		value.M("credentials", value.Of("none")), value.M("tokens", value.OfInt(100_000)), value.M("completionTokens", value.OfInt(8_000)),
		value.M("features", value.Strings([]string{"text", "tools"})),
	)))
	if a.json {
		return a.show(value.Obj(value.M("url", value.Of(s.URL())), value.M("root", value.Of(s.Root())), value.M("models", model)))
	}
	return a.print(
		"a test model answers on "+s.URL(), "(the protocols of Anthropic, Bedrock, Google and Ollama on "+s.Root()+")", "",
		"ask it from another terminal:", `  sre agent FILE --prompt "hello" --model testmodel --base-url `+s.URL(), "",
		"or write into "+filepath.Join(".smyth", "models", "testmodel.json")+", for every command and every agent that names the model testmodel:", "  "+model.JSON(), "",
	)
}

// logExchange prints one line for a request.
func (a *app) logExchange(x testmodel.Exchange) error {
	if a.json {
		return a.show(x.Value())
	}
	how := "whole"
	if x.Stream {
		how = "stream"
	}
	rule := "no rule"
	if x.Rule >= 0 {
		rule = fmt.Sprintf("rule %d", x.Rule)
	}
	return a.print(harmless(fmt.Sprintf("%4d  %s  %s  %s  last: %s  %s: %s", x.N, x.Path, x.Model, how, x.Role, rule, x.Answer)))
}
