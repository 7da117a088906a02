package cli

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/value"
)

func (a *app) vault() *cobra.Command {
	c := &cobra.Command{
		Use:   "vault",
		Short: "Keep the secrets that agents use: make a vault, store, list and rotate",
		Long: "Keeps the secrets that agents use. A vault in the clear, vault.json in the data folder, needs no preparation;\n" +
			"`sre vault init` makes an encrypted one, which is used from then on. A secret belongs to a team, and can be bound to\n" +
			"hosts: it is then sent nowhere else, whatever an agent asks for.",
		Example: "  sre vault init\n  sre vault set openai --host api.openai.com < key.txt\n  sre vault list",
		Args:    cobra.ArbitraryArgs,
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
	c.AddCommand(a.vaultInit(), a.vaultSet(), a.vaultGet(), a.vaultList(), a.vaultDelete(), a.vaultRotate(), a.vaultImport())
	return c
}

const defaultTeam = "default"

// teamFlag adds the flag of the team whose secrets a command works on.
func teamFlag(c *cobra.Command, team *string) {
	c.Flags().StringVar(team, "team", defaultTeam, "team that the secret belongs to")
}

// withVault does something as a team, in a runtime of its own.
func (a *app) withVault(ctx context.Context, team string, do func(*vault.Handle) error, opts ...sre.Option) (err error) {
	who, err := access.Team(team)
	if err != nil {
		return usageError{fault.Newf(fault.Invalid, "--team: %w", err)}
	}
	rt, err := a.start(ctx, opts...)
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	scope := rt.As(who)
	return do(scope.Vault())
}

// keyNames completes the name of a key. Nobody is asked for a passphrase in the middle of a line.
func (a *app) keyNames(team *string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(c *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		err := a.withVault(c.Context(), *team, func(h *vault.Handle) error {
			infos, err := h.Info(c.Context())
			for _, info := range infos {
				names = append(names, info.Name)
			}
			return err
		}, sre.WithPrompt(nil))
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveError
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

func (a *app) vaultList() *cobra.Command {
	var team string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the names of a team's secrets and where they may be sent, never the secrets",
		Example: "  sre vault list --team red --json",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withVault(c.Context(), team, func(h *vault.Handle) error {
				infos, err := h.Info(c.Context())
				if err != nil {
					return err
				}
				return a.showKeys(infos, team)
			})
		},
	}
	teamFlag(c, &team)
	return c
}

func (a *app) showKeys(infos []vault.Info, team string) error {
	if a.json {
		list := make([]value.Value, len(infos))
		for i, info := range infos {
			list[i] = value.Obj(value.M("name", value.Of(info.Name)), value.M("hosts", hostsValue(info.Hosts)))
		}
		return a.show(value.OfItems(list))
	}
	if len(infos) == 0 {
		return a.print("team " + team + " holds no keys: sre vault set NAME")
	}
	rows := make([]row, len(infos))
	for i, info := range infos {
		rows[i] = row{{"name", info.Name}, {"hosts", hostsText(info.Hosts)}}
	}
	return a.table(rows)
}

func hostsValue(hosts []string) value.Value {
	if hosts == nil {
		return value.NullValue()
	}
	return value.Strings(hosts)
}

func hostsText(hosts []string) string {
	if hosts == nil {
		return "any"
	}
	return strings.Join(hosts, ", ")
}

func (a *app) vaultGet() *cobra.Command {
	var team string
	var reveal bool
	c := &cobra.Command{
		Use:   "get NAME [--reveal]",
		Short: "Say whether a secret is there, and with --reveal print it",
		Long: "Says whether a secret is there and where it may be sent. With --reveal the secret itself is printed, and that it was\n" +
			"is recorded in the audit.",
		Example: "  sre vault get openai\n  sre vault get openai --reveal",
		Args:    arguments(1, 1, "the name of a key"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withVault(c.Context(), team, func(h *vault.Handle) error { return a.runVaultGet(c.Context(), h, args[0], reveal) })
		},
	}
	teamFlag(c, &team)
	c.Flags().BoolVar(&reveal, "reveal", false, "print the secret")
	c.ValidArgsFunction = a.keyNames(&team)
	return c
}

func (a *app) runVaultGet(ctx context.Context, h *vault.Handle, name string, reveal bool) error {
	infos, err := h.Info(ctx)
	if err != nil {
		return err
	}
	known := slices.IndexFunc(infos, func(info vault.Info) bool { return info.Name == name })
	if known < 0 {
		if shared, err := h.Exists(ctx, name); err != nil || !shared {
			return missing(name, infos, err)
		}
	}
	text := secret.Redacted
	var hosts []string
	if known >= 0 {
		hosts = infos[known].Hosts
	}
	if reveal {
		v, err := h.Get(ctx, name)
		if err != nil {
			return err
		}
		text, hosts = v.Reveal(), v.Hosts()
	}
	if a.json {
		m := []value.Member{value.M("name", value.Of(name)), value.M("hosts", hostsValue(hosts))}
		if reveal {
			m = append(m, value.M("value", value.Of(text)))
		}
		return a.show(value.Obj(m...))
	}
	return a.print(text)
}

// missing says that a key is not there, and which one may have been meant.
func missing(name string, infos []vault.Info, err error) error {
	if err != nil {
		return err
	}
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.Name
	}
	return fault.Hint(fault.New(fault.NotFound, schema.UnknownName("key", name, names)), "sre vault list shows what is there")
}

func (a *app) vaultSet() *cobra.Command {
	var team string
	var hosts []string
	var anyHost bool
	c := &cobra.Command{
		Use:   "set NAME [--host HOST ...]",
		Short: "Store a secret that is read from standard input, or asked for at the terminal",
		Long: "Stores a secret. It is read from standard input, without the line break at its end, or asked for at the terminal\n" +
			"without being shown; it is never given on the command line, where other users and the history of the shell see it.\n" +
			"With --host it is sent to these hosts only: api.example.com, or *.example.com for all below it. A secret that is\n" +
			"stored again keeps its hosts unless --host or --any-host says otherwise.",
		Example: "  sre vault set openai --host api.openai.com\n  sre vault set weather --team red < key.txt",
		Args:    arguments(1, 1, "the name of a key, and the secret on standard input"),
		RunE: func(c *cobra.Command, args []string) error {
			if strings.Contains(args[0], "=") {
				return usageError{fault.Newf(fault.Invalid, "give the name alone: the secret is read from standard input")}
			}
			if anyHost && len(hosts) > 0 {
				return usageError{fault.Newf(fault.Invalid, "--host and --any-host exclude each other")}
			}
			return a.withVault(c.Context(), team, func(h *vault.Handle) error {
				return a.runVaultSet(c.Context(), h, args[0], hosts, anyHost)
			})
		},
	}
	teamFlag(c, &team)
	c.Flags().StringArrayVar(&hosts, "host", nil, "host that the secret may be sent to; may be repeated")
	c.Flags().BoolVar(&anyHost, "any-host", false, "let the secret be sent to any host")
	c.ValidArgsFunction = a.keyNames(&team)
	return c
}

func (a *app) runVaultSet(ctx context.Context, h *vault.Handle, name string, hosts []string, anyHost bool) error {
	if len(hosts) > 0 {
		if err := vault.CheckHosts(hosts); err != nil { // before somebody types the secret
			return usageError{err}
		}
	}
	infos, err := h.Info(ctx)
	if err != nil {
		return err
	}
	known := slices.IndexFunc(infos, func(info vault.Info) bool { return info.Name == name })
	if len(hosts) == 0 && !anyHost && known >= 0 {
		hosts = infos[known].Hosts
	}
	text, err := a.readSecret(ctx, "Secret for "+name+": ")
	if err != nil {
		return err
	}
	if err := h.Set(ctx, name, text.For(hosts...)); err != nil {
		return err
	}
	done := "stored"
	if known >= 0 {
		done = "replaced"
	}
	team := h.Candidate().ID()
	if a.json {
		return a.show(value.Obj(value.M("name", value.Of(name)), value.M("team", value.Of(team)),
			value.M("hosts", hostsValue(hosts)), value.M("replaced", value.OfBool(known >= 0))))
	}
	return a.print(done + " " + name + " of team " + team + ", hosts: " + hostsText(hosts))
}

// readSecret asks at the terminal, or reads standard input to its end.
func (a *app) readSecret(ctx context.Context, question string) (secret.Value, error) {
	if a.Ask != nil {
		return a.Ask(ctx, question)
	}
	text, err := io.ReadAll(io.LimitReader(a.In, vault.MaxSecretLength+3)) // a line break, and one byte that is too much
	if err != nil {
		return secret.Value{}, fault.Newf(fault.Unavailable, "read the secret from standard input: %w", err)
	}
	defer clear(text)
	plain, _ := strings.CutSuffix(string(text), "\n")
	plain, _ = strings.CutSuffix(plain, "\r")
	return secret.New(plain), nil
}

func (a *app) vaultDelete() *cobra.Command {
	var team string
	c := &cobra.Command{
		Use:     "delete NAME",
		Short:   "Take a secret away",
		Example: "  sre vault delete weather --team red",
		Args:    arguments(1, 1, "the name of a key"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withVault(c.Context(), team, func(h *vault.Handle) error {
				if err := h.Delete(c.Context(), args[0]); err != nil {
					return err
				}
				if a.json {
					return a.show(value.Obj(value.M("name", value.Of(args[0])), value.M("team", value.Of(team)), value.M("deleted", value.OfBool(true))))
				}
				return a.print("deleted " + args[0] + " of team " + team)
			})
		},
	}
	teamFlag(c, &team)
	c.ValidArgsFunction = a.keyNames(&team)
	return c
}
