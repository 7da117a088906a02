package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// group is a command that only holds others.
func (a *app) group(use, short, long, example string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example, Args: cobra.ArbitraryArgs,
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
	c.AddCommand(subs...)
	return c
}

func (a *app) tokens() *cobra.Command {
	return a.group("token", "Make, list and revoke API tokens: who may call which agents over HTTP",
		"API tokens let others call agents over HTTP without the token of the operator. A token belongs to a team and reaches\n"+
			"the agents of that team, or only those it names. It is shown once, when it is made; only its hash is kept. Servers\n"+
			"that are running notice new and revoked tokens within a second.",
		"  sre token create --name ci --agent hello --expires 30d\n  sre token list\n  sre token revoke k3x9a2mq",
		a.tokenCreate(), a.tokenList(), a.tokenRevoke())
}

// asTeam does something as a team, in a runtime of its own.
func (a *app) asTeam(ctx context.Context, team string, do func(*sre.Runtime, *account.Handle) error, opts ...sre.Option) (err error) {
	who, err := access.Team(team)
	if err != nil {
		return usageError{fault.Newf(fault.Invalid, "the team: %w", err)}
	}
	rt, err := a.start(ctx, opts...)
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	return do(rt, rt.Accounts().For(who))
}

// tokenFlags are the flags of sre token create.
type tokenFlags struct {
	name, team, user, expires string
	scopes, agents            []string
}

func (a *app) tokenCreate() *cobra.Command {
	var f tokenFlags
	c := &cobra.Command{
		Use:   "create [--name TEXT] [--agent ID ...] [--scope SCOPE ...] [--expires 30d]",
		Short: "Make a token and show it, this once",
		Long: "Makes a token of a team, or of one of its users, and shows it, this once. The scope run calls agents, debug also debugs\n" +
			"them and steers their runs by headers, admin also sees how the parts of the server are. A token of a user is worth\n" +
			"what the role of the user allows, and nothing any more when the user leaves the team.",
		Example: "  sre token create --name ci --agent hello --expires 30d\n  sre token create --team red --user ann --scope debug\n" +
			"  TOKEN=$(sre token create --json | jq -r .token)",
		Args: arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error { return a.runTokenCreate(c.Context(), f) },
	}
	teamOf(a, c, &f.team, "team that the token belongs to")
	c.Flags().StringVar(&f.name, "name", "", "what the token is for, shown in lists")
	c.Flags().StringVar(&f.user, "user", "", "user whose token it is, instead of the team's")
	c.Flags().StringSliceVar(&f.scopes, "scope", []string{"run"}, "what it is good for: run, debug or admin")
	c.Flags().StringSliceVar(&f.agents, "agent", nil, "the only agent it may call; may be repeated (default all of the team)")
	c.Flags().StringVar(&f.expires, "expires", "90d", "when it ends: 12h, 30d, 8w, a date such as 2027-01-31, or never")
	complete(c, "scope", account.ScopeNames())
	complete(c, "expires", []string{"1d", "30d", "90d", "52w", "never"})
	return c
}

// teamOf adds the flag of the team that a command works on.
func teamOf(a *app, c *cobra.Command, team *string, usage string) {
	c.Flags().StringVar(team, "team", defaultTeam, usage)
	_ = c.RegisterFlagCompletionFunc("team", func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) { // the flag was just added
		return a.teamNames(c.Context()), cobra.ShellCompDirectiveNoFileComp
	})
}

// complete offers fixed texts for a flag.
func complete(c *cobra.Command, flag string, texts []string) {
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(texts, cobra.ShellCompDirectiveNoFileComp)) // the flag was just added
}

// teamNames completes the id of a team, where the accounts can list them. Nobody is asked for a passphrase in the middle
// of a line.
func (a *app) teamNames(ctx context.Context) (names []string) {
	_ = a.asTeam(ctx, defaultTeam, func(rt *sre.Runtime, _ *account.Handle) (err error) { // nothing is offered then
		names, err = rt.Accounts().Teams(ctx)
		return err
	}, sre.WithPrompt(nil))
	return names
}

func (a *app) runTokenCreate(ctx context.Context, f tokenFlags) error {
	spec := account.TokenSpec{Name: f.name, User: f.user, Agents: f.agents}
	var err error
	if spec.Scopes, err = account.ParseScopes(f.scopes); err == nil {
		spec.Expires, err = parseExpiry(f.expires, effect.System{}.Now())
	}
	if err != nil {
		return usageError{err}
	}
	return a.asTeam(ctx, f.team, func(_ *sre.Runtime, h *account.Handle) error {
		tok, shown, err := h.CreateToken(ctx, spec)
		if err != nil {
			return err
		}
		return a.showNewToken(&tok, shown)
	})
}

func (a *app) showNewToken(tok *account.Token, shown secret.Value) error {
	if a.json {
		return a.show(tokenValue(tok).With("token", value.Of(shown.Reveal())))
	}
	lines := []string{
		"token    " + shown.Reveal(), "id       " + tok.ID, "team     " + tok.Team,
	}
	if tok.User != "" {
		lines = append(lines, "user     "+tok.User)
	}
	return a.print(append(lines,
		"scopes   "+strings.Join(tok.Scopes.Names(), ", "), "agents   "+agentsText(tok), "expires  "+timeText(tok.Expires, "never"),
		"", "It is shown only this once. Try it with a server that runs:",
		"  curl http://"+defaultAddress+`/agents -H "Authorization: Bearer $TOKEN"`)...)
}

// parseExpiry reads how long a token lives, or until when. Zero is for ever.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if text == "never" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil && !t.IsZero() { // zero would be for ever
			return t, nil
		}
	}
	units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if n := len(text) - 1; n > 0 && units[text[n]] > 0 {
		const most = 100 * 366 * 24 * time.Hour
		count, err := strconv.ParseUint(text[:n], 10, 32)
		if unit := units[text[n]]; err == nil && count > 0 && count <= uint64(most/unit) {
			return now.Add(time.Duration(count) * unit), nil
		}
	}
	err := fault.Newf(fault.Invalid, "--expires cannot be %q", text)
	return time.Time{}, fault.Hint(err, "write 12h, 30d, 8w, a date such as 2027-01-31, or never; at most a hundred years")
}

func (a *app) tokenList() *cobra.Command {
	var team string
	c := &cobra.Command{
		Use: "list", Short: "List the tokens of a team, never the tokens themselves", Example: "  sre token list --team red --json",
		Args: arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.asTeam(c.Context(), team, func(_ *sre.Runtime, h *account.Handle) error {
				list, damaged, err := h.Tokens(c.Context())
				if err != nil {
					return err
				}
				if len(damaged) > 0 {
					a.fail(fault.Hint(fault.Newf(fault.Internal, "damaged, and good for nothing: %s", strings.Join(damaged, ", ")), "restore their file from a copy, or make new tokens"))
				}
				return a.showTokens(list, team)
			})
		},
	}
	teamOf(a, c, &team, "team whose tokens are listed")
	return c
}

func (a *app) showTokens(list []account.Token, team string) error {
	if a.json {
		values := make([]value.Value, len(list))
		for i := range list {
			values[i] = tokenValue(&list[i])
		}
		return a.show(value.OfItems(values))
	}
	if len(list) == 0 {
		return a.print("team " + team + " has no tokens: sre token create")
	}
	rows := make([]row, len(list))
	for i := range list {
		t := &list[i]
		rows[i] = row{
			{"id", t.ID}, {"name", t.Name}, {"user", t.User}, {"scopes", strings.Join(t.Scopes.Names(), ",")}, {"agents", agentsText(t)},
			{"created", timeText(t.Created, "")}, {"expires", timeText(t.Expires, "never")}, {"used", timeText(t.Used, "never")}, {"state", stateText(t)},
		}
	}
	return a.table(rows)
}

func tokenValue(t *account.Token) value.Value {
	b := value.NewBuilder(12).Set("id", value.Of(t.ID)).Set("begins", value.Of(t.Display())).Set("name", value.Of(t.Name)).Set("team", value.Of(t.Team))
	b.Set("user", textOrNull(t.User)).Set("scopes", value.Strings(t.Scopes.Names())).Set("agents", value.NullValue())
	if len(t.Agents) > 0 {
		b.Set("agents", value.Strings(t.Agents))
	}
	b.Set("created", timeValue(t.Created)).Set("expires", timeValue(t.Expires)).Set("used", timeValue(t.Used)).Set("revoked", timeValue(t.Revoked))
	return b.Set("state", value.Of(stateText(t))).Build()
}

func textOrNull(text string) value.Value {
	if text == "" {
		return value.NullValue()
	}
	return value.Of(text)
}

func timeValue(t time.Time) value.Value {
	if t.IsZero() {
		return value.NullValue()
	}
	return value.Of(t.UTC().Format(time.RFC3339))
}

func timeText(t time.Time, none string) string {
	if t.IsZero() {
		return none
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func stateText(t *account.Token) string {
	switch now := (effect.System{}).Now(); {
	case !t.Revoked.IsZero():
		return "revoked"
	case !t.Expires.IsZero() && !now.Before(t.Expires):
		return "expired"
	}
	return "good"
}

func agentsText(t *account.Token) string {
	if len(t.Agents) == 0 {
		return "all of the team"
	}
	return strings.Join(t.Agents, ", ")
}

func (a *app) tokenRevoke() *cobra.Command {
	var team string
	c := &cobra.Command{
		Use: "revoke ID ...", Short: "Make tokens worthless",
		Long: "Makes tokens worthless, in servers that are running within a second. ID is that of sre token list; the beginning that is\n" +
			"shown there, or a token that was found somewhere, is taken, too.",
		Example: "  sre token revoke k3x9a2mq\n  sre token revoke sre_k3x9a2mq... --team red",
		Args:    arguments(1, -1, "ids of tokens"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.asTeam(c.Context(), team, func(_ *sre.Runtime, h *account.Handle) error { return a.runTokenRevoke(c.Context(), h, args) })
		},
	}
	teamOf(a, c, &team, "team that the tokens belong to")
	c.ValidArgsFunction = func(c *cobra.Command, _ []string, _ string) (ids []string, _ cobra.ShellCompDirective) {
		_ = a.asTeam(c.Context(), team, func(_ *sre.Runtime, h *account.Handle) error { // nothing is offered then
			list, _, err := h.Tokens(c.Context())
			for i := range list {
				if t := &list[i]; stateText(t) == "good" {
					ids = append(ids, t.ID+"\t"+t.Name)
				}
			}
			return err
		}, sre.WithPrompt(nil))
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
	return c
}

func (a *app) runTokenRevoke(ctx context.Context, h *account.Handle, args []string) error {
	ids := make([]value.Value, 0, len(args))
	for _, arg := range args {
		id := tokenID(arg)
		if !account.ValidTokenID(id) {
			return usageError{fault.Hint(fault.Newf(fault.Invalid, "that is no id of a token"), "sre token list shows the ids")}
		}
		if err := h.RevokeToken(ctx, id); err != nil {
			return err
		}
		ids = append(ids, value.Of(id))
		if !a.json {
			if err := a.print("revoked " + id + " of team " + h.Candidate().ID()); err != nil {
				return err
			}
		}
	}
	if a.json {
		return a.show(value.Obj(value.M("revoked", value.OfItems(ids)), value.M("team", value.Of(h.Candidate().ID()))))
	}
	return nil
}

// tokenID takes the id out of what people have of a token.
func tokenID(text string) string {
	id := strings.TrimSuffix(strings.TrimPrefix(text, "sre_"), "...")
	if account.LooksLikeToken(text) {
		id = id[:8]
	}
	return id
}
