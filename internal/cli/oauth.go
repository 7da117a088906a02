package cli

import (
	"context"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/httpserver"
	"github.com/sre-go/sre/internal/oauth"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

func (a *app) oauth() *cobra.Command {
	c := &cobra.Command{
		Use:   "oauth",
		Short: "Let agents act for you at other services",
		Long: "Gets the tokens that components, models and MCP servers with OAuth need, and keeps them in the managed vault of the team.\n" +
			"They are renewed by themselves.",
		Example: "  sre oauth connect calendar.smyth --component CAL\n  sre oauth forget calendar.smyth --component CAL\n" +
			"  sre oauth connect --name gateway --token-url https://auth.example.com/token --client-id sre --client-secret-key gateway-secret \\\n" +
			"    --client-credentials --host models.example.com",
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			var names []string
			for _, sub := range c.Commands() {
				names = append(names, sub.Name())
			}
			return usageError{fault.New(fault.Invalid, schema.UnknownName("command", args[0], names))}
		},
	}
	c.AddCommand(a.oauthConnect(), a.oauthForget())
	return c
}

type oauthFlags struct {
	component string
	byName    connectionFlags
	listen    string
	hosts     []string
	anyHost   bool
	timeout   time.Duration
}

func (a *app) oauthConnect() *cobra.Command {
	var f oauthFlags
	c := &cobra.Command{
		Use:   "connect [FILE --component ID | --name NAME --token-url URL --client-id ID]",
		Short: "Get tokens: open the address it prints and allow the access",
		Long: "Prints an address of the service. Open it in a browser on this machine and allow the access; the browser comes back\n" +
			"to this command, which gets the tokens and keeps them. Register http://ADDRESS" + oauth.CallbackPath + " as redirect address\n" +
			"at the service, with the address given by --listen. The tokens are sent to the host that the component calls and to no other,\n" +
			"unless --host or --any-host says otherwise.\n\n" +
			"With --name the connection belongs to no component: models name it as their credentials (oauth:NAME), components as their\n" +
			"oauth_con_id. With --client-credentials nobody is asked: the client gets tokens for itself. The client secret lies in the\n" +
			"vault of the team, never on the command line.",
		Example: "  sre oauth connect calendar.smyth --component CAL --listen 127.0.0.1:8765\n" +
			"  sre oauth connect --name gateway --token-url https://auth.example.com/token --client-id sre --client-secret-key gateway-secret \\\n" +
			"    --client-credentials --host models.example.com",
		Args: arguments(0, 1, "one agent file, or --name"), ValidArgsFunction: smythFiles,
		RunE: func(c *cobra.Command, args []string) error { return a.runOAuthConnect(c.Context(), args, f) },
	}
	f.byName.add(a, c)
	componentFlag(c, &f.component)
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:0", "address of this machine that the browser comes back to; 0 as port takes a free one")
	c.Flags().StringSliceVar(&f.hosts, "host", nil, "a host that the tokens may be sent to, or *.NAME for all below it")
	c.Flags().BoolVar(&f.anyHost, "any-host", false, "let the tokens be sent to any host")
	c.Flags().DurationVar(&f.timeout, "timeout", 5*time.Minute, "how long to wait for the browser")
	return c
}

func componentFlag(c *cobra.Command, id *string) {
	c.Flags().StringVar(id, "component", "", "id of the component; not needed when only one uses OAuth")
}

func (a *app) oauthForget() *cobra.Command {
	var f oauthFlags
	c := &cobra.Command{
		Use:   "forget [FILE --component ID | --name NAME]",
		Short: "Take tokens out of the managed vault",
		Long:  "Takes the tokens of a component, or of a connection, out of the managed vault. The service is not told: take the access\nback there too.",
		Args:  arguments(0, 1, "one agent file, or --name"), ValidArgsFunction: smythFiles,
		RunE: func(c *cobra.Command, args []string) error {
			return a.withConnection(c.Context(), args, f, func(ctx context.Context, x *connection) error {
				if err := x.as.ManagedVault().Delete(ctx, x.key); err != nil {
					return err
				}
				return a.told(x, "forgotten")
			})
		},
	}
	f.byName.addName(a, c)
	componentFlag(c, &f.component)
	return c
}

// connection is what tokens are for: a component of an agent, or whoever names the connection.
type connection struct {
	runtime  *sre.Runtime
	as       scope.Scope // the agent, or the team
	of       string      // the component, or "" for a connection by name
	settings value.Value
	key      string   // of its tokens in the managed vault
	hosts    []string // that the tokens may be sent to, nil for any
	slots    *secret.Slots
}

// withConnection does something with a component of an agent file, as the agent, or with a connection by name, as the team.
func (a *app) withConnection(ctx context.Context, files []string, f oauthFlags, do func(context.Context, *connection) error) (err error) {
	if (len(files) == 0) == (f.byName.name == "") {
		return usageError{fault.Newf(fault.Invalid, "name an agent file, or a connection with --name")}
	}
	if err := f.fits(len(files) == 0); err != nil {
		return usageError{err}
	}
	rt, err := a.start(ctx)
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	x := &connection{runtime: rt, slots: secret.NewSlots(effect.System{}.NewID())}
	if len(files) == 0 {
		err = x.named(f.byName)
	} else {
		err = a.ofComponent(ctx, x, files[0], f.component)
	}
	if err != nil {
		return err
	}
	team, err := x.as.Account().Team(ctx)
	if err != nil {
		return err
	}
	ctx = access.WithActing(ctx, access.Acting{Candidate: x.as.Candidate(), Team: team})
	return do(secret.WithSlots(ctx, x.slots), x)
}

// ofComponent makes the connection that of a component of an agent file.
func (a *app) ofComponent(ctx context.Context, x *connection, file, component string) error {
	agent, err := x.runtime.LoadFile(ctx, a.path(file))
	if err != nil {
		return err
	}
	node, err := oauthComponent(agent.Document(), component)
	if err != nil {
		return err
	}
	x.as, x.of, x.settings = agent.Services(), node.ID, node.Settings
	x.key = oauth.Key(x.setting("oauth_con_id"), node.ID)
	return nil
}

func (x *connection) setting(name string) string { return x.settings.GetString(name) }

// oauthComponent finds the component with an id, or the only one that uses OAuth.
func oauthComponent(doc *agentfile.Document, id string) (*agentfile.Component, error) {
	var found []*agentfile.Component
	var ids []string
	for i := range doc.Components {
		c := &doc.Components[i]
		service, named := c.Settings.GetString("oauthService"), c.Settings.GetString("oauth_con_id")
		if c.Type != "APICall" || (service == "" || service == "None") && (named == "" || named == "None") {
			continue
		}
		ids = append(ids, c.ID)
		if id == "" || c.ID == id {
			found = append(found, c)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(ids) == 0:
		return nil, fault.Hint(fault.Newf(fault.NotFound, "no component of the file uses OAuth"), "an APICall uses it when oauthService or oauth_con_id is set")
	case id == "":
		return nil, usageError{fault.Newf(fault.Invalid, "several components use OAuth; choose one with --component: %s", strings.Join(ids, ", "))}
	}
	return nil, fault.New(fault.NotFound, schema.UnknownName("component", id, ids))
}

// told says what was done.
func (a *app) told(x *connection, what string) error {
	if a.json {
		who := x.as.Candidate()
		b := value.NewBuilder(5).Set(who.Role().String(), value.Of(who.ID()))
		if x.of != "" {
			b.Set("component", value.Of(x.of))
		}
		return a.show(b.Set("tokens", value.Of(x.key)).Set("hosts", hostsValue(x.hosts)).Set("state", value.Of(what)).Build())
	}
	text := what + ": the tokens " + x.key + " of " + x.as.Candidate().ID()
	if what == connected {
		text += ", for " + hostsText(x.hosts)
	}
	return a.print(text)
}

const connected = "connected"

func (a *app) runOAuthConnect(ctx context.Context, files []string, f oauthFlags) error {
	host, _, err := net.SplitHostPort(f.listen)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return usageError{fault.Newf(fault.Invalid, "--listen is an address of this machine alone, such as 127.0.0.1:8765, not %q", f.listen)}
	}
	return a.withConnection(ctx, files, f, func(ctx context.Context, x *connection) error {
		if err := x.bind(f); err != nil {
			return err
		}
		if x.setting("oauthService") == oauth.ClientCredentials {
			return a.keepClient(ctx, x)
		}
		ln, err := httpserver.Listen(ctx, f.listen)
		if err != nil {
			return err
		}
		_, port, err := net.SplitHostPort(ln.Addr().String())
		if err != nil {
			_ = ln.Close() // the error says more
			return fault.New(fault.Internal, err)
		}
		entry, err := a.authorize(ctx, x, ln, net.JoinHostPort(host, port), f.timeout)
		if err != nil {
			return err
		}
		if err := x.as.ManagedVault().Set(ctx, x.key, entry); err != nil {
			return err
		}
		return a.told(x, connected)
	})
}

// bind decides which hosts the tokens may be sent to: those of the flags, or that which the component calls.
func (x *connection) bind(f oauthFlags) error {
	switch {
	case f.anyHost && len(f.hosts) > 0:
		return usageError{fault.Newf(fault.Invalid, "--host and --any-host exclude each other")}
	case f.anyHost:
		return nil
	case len(f.hosts) > 0:
		x.hosts = slices.Clone(f.hosts)
		return nil
	}
	if host := fixedHost(x.setting("url")); host != "" {
		x.hosts = []string{host}
		return nil
	}
	err := fault.Newf(fault.Invalid, "the host that gets the tokens is known only when they are used")
	return usageError{fault.Hint(err, "name the hosts that may get the tokens with --host, or say --any-host")}
}

// fixedHost returns the host of an address that has no placeholder in it before its path, "" for any other.
func fixedHost(address string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	if end := strings.IndexAny(rest, `/\?#`); end >= 0 {
		rest = rest[:end]
	}
	if strings.Contains(scheme+rest, "{{") {
		return ""
	}
	return oauth.HostOf(scheme + "://" + rest)
}
