package cli

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/vaultfile"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/value"
)

// imported is what a file gives to a vault.
type imported struct {
	entries []vaultfile.Entry
	others  int // members that are no secrets, and empty ones
}

// importOptions are the flags of an import.
type importOptions struct {
	team    string // "" for all
	rsaKey  string
	replace bool
}

func (a *app) vaultImport() *cobra.Command {
	var o importOptions
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Take over the secrets of a vault.json, or of a file of environment variables",
		Long: "Takes over the secrets of FILE: a vault.json with its teams, or lines of NAME=value, which go to the team default\n" +
			"unless --team names another. When a key is there already nothing is taken over, unless --replace is given. FILE stays\n" +
			"as it is: delete it when the import is what you want.",
		Example: "  sre vault import vault.json\n  sre vault import .env --team red --replace",
		Args:    arguments(1, 1, "one file"),
		RunE:    func(c *cobra.Command, args []string) error { return a.runVaultImport(c.Context(), args[0], o) },
	}
	c.Flags().StringVar(&o.team, "team", "", "of a vault.json only this team; of variables the team that gets them")
	c.Flags().BoolVar(&o.replace, "replace", false, "replace keys that are there")
	c.Flags().StringVar(&o.rsaKey, "rsa-key", "", "private key of a vault.json that the TypeScript runtime encrypted (fileKey)")
	return c
}

func (a *app) runVaultImport(ctx context.Context, file string, o importOptions) (err error) {
	in, err := a.readImport(file, o)
	if err != nil {
		return err
	}
	rt, err := a.start(ctx)
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	handles, err := a.targets(ctx, rt, in, o.replace)
	if err != nil {
		return err
	}
	for i, e := range in.entries {
		if err := handles[e.Team].Set(ctx, e.Name, e.Value); err != nil {
			return fault.Hint(err, "%d of %d keys were taken over before: mend this and import again with --replace", i, len(in.entries))
		}
	}
	return a.reportImport(in, a.path(file))
}

func (a *app) readImport(file string, o importOptions) (imported, error) {
	text, err := disk.ReadFile(a.path(file), vaultfile.Limit())
	if err != nil {
		return imported{}, err
	}
	defer clear(text)
	plain := text
	if o.rsaKey != "" {
		key, err := disk.ReadFile(a.path(o.rsaKey), vaultfile.Limit())
		if err != nil {
			return imported{}, err
		}
		defer clear(key)
		codec, err := vaultfile.NewRSACodec(key)
		if err != nil {
			return imported{}, err
		}
		if plain, err = codec.Open(text); err != nil {
			return imported{}, err
		}
		defer clear(plain)
	}
	var in imported
	if begin := bytes.TrimLeft(plain, " \t\r\n"); len(begin) > 0 && begin[0] == '{' {
		if in, err = importJSON(plain, o.team); err != nil {
			return imported{}, &fault.Error{Op: "vault.import", Resource: file, Kind: fault.KindOf(err), Err: err}
		}
	} else {
		team := o.team
		if team == "" {
			team = defaultTeam
		}
		if in, err = importVariables(string(plain), team); err != nil {
			return imported{}, &fault.Error{Op: "vault.import", Resource: file, Kind: fault.KindOf(err), Err: err}
		}
	}
	if len(in.entries) == 0 {
		return imported{}, fault.Newf(fault.NotFound, "%s holds no secrets to take over", file)
	}
	return in, nil
}

func importJSON(plain []byte, team string) (imported, error) {
	entries, others, err := vaultfile.Entries(plain)
	if err != nil {
		return imported{}, err
	}
	in := imported{others: others}
	for _, e := range entries {
		switch {
		case team != "" && e.Team != team:
		case e.Value.IsZero():
			in.others++
		default:
			in.entries = append(in.entries, e)
		}
	}
	return in, nil
}

// importVariables reads lines of NAME=value, as files named .env have them: comments, "export", and quotes. Its errors
// name lines, never what they hold.
func importVariables(text, team string) (imported, error) {
	var in imported
	seen := map[string]bool{}
	for i, line := range strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		name, rest, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "export ")), "=")
		name = strings.TrimSpace(name)
		if !ok || !isVariableName(name) {
			return imported{}, fault.Newf(fault.Invalid, "line %d is not NAME=value", i+1)
		}
		v, ok := unquote(strings.TrimSpace(rest))
		if !ok {
			return imported{}, fault.Newf(fault.Invalid, "line %d: the quotes of %s do not match", i+1, name)
		}
		if seen[name] {
			return imported{}, fault.Newf(fault.Invalid, "line %d: %s is there twice", i+1, name)
		}
		seen[name] = true
		if v == "" {
			in.others++
			continue
		}
		in.entries = append(in.entries, vaultfile.Entry{Team: team, Name: name, Value: secret.New(v)})
	}
	return in, nil
}

func isVariableName(name string) bool {
	for i, c := range name {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// unquote reads a value: in single quotes as it is, in double quotes with escapes, and bare until a comment.
func unquote(s string) (string, bool) {
	if s == "" {
		return "", true
	}
	quote := s[0]
	if quote != '\'' && quote != '"' {
		if at := strings.Index(s, " #"); at >= 0 {
			s = s[:at]
		}
		return strings.TrimSpace(s), true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == quote:
			rest := strings.TrimSpace(s[i+1:])
			return b.String(), rest == "" || rest[0] == '#'
		case s[i] == '\\' && quote == '"' && i+1 < len(s):
			i++
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			case 't':
				b.WriteByte('\t')
			case '\\', '"', '$':
				b.WriteByte(s[i])
			default:
				b.WriteByte('\\')
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return "", false
}

// targets returns the vaults of the teams. Nothing is taken over when a key would be replaced unasked. A key that is
// replaced keeps the hosts it is bound to, unless the file binds it to others.
func (a *app) targets(ctx context.Context, rt *sre.Runtime, in imported, replace bool) (map[string]*vault.Handle, error) {
	handles, hosts := map[string]*vault.Handle{}, map[string]map[string][]string{}
	var taken []string
	for i, e := range in.entries {
		if handles[e.Team] == nil {
			who, err := access.Team(e.Team)
			if err != nil {
				return nil, err
			}
			scope := rt.As(who)
			handles[e.Team] = scope.Vault()
			infos, err := handles[e.Team].Info(ctx)
			if err != nil {
				return nil, err
			}
			hosts[e.Team] = map[string][]string{}
			for _, info := range infos {
				hosts[e.Team][info.Name] = info.Hosts
			}
		}
		bound, there := hosts[e.Team][e.Name]
		if there && !replace {
			taken = append(taken, e.Team+"/"+e.Name)
		}
		if there && e.Value.Hosts() == nil {
			in.entries[i].Value = e.Value.For(bound...)
		}
	}
	if len(taken) > 0 {
		slices.Sort(taken)
		return nil, fault.Hint(fault.Newf(fault.Conflict, "these keys are there already: %s", strings.Join(taken, ", ")), "replace them with --replace")
	}
	return handles, nil
}

func (a *app) reportImport(in imported, file string) error {
	if a.json {
		list := make([]value.Value, len(in.entries))
		for i, e := range in.entries {
			list[i] = value.Obj(value.M("team", value.Of(e.Team)), value.M("name", value.Of(e.Name)), value.M("hosts", hostsValue(e.Value.Hosts())))
		}
		return a.show(value.Obj(value.M("imported", value.OfItems(list)), value.M("skipped", value.OfInt(in.others))))
	}
	rows := make([]row, len(in.entries))
	for i, e := range in.entries {
		rows[i] = row{{"team", e.Team}, {"name", e.Name}, {"hosts", hostsText(e.Value.Hosts())}}
	}
	if err := a.table(rows); err != nil {
		return err
	}
	text := "keys taken over: " + strconv.Itoa(len(in.entries))
	if in.others > 0 {
		text += ", left out because they are empty or no text: " + strconv.Itoa(in.others)
	}
	return a.print(text, file+" still holds them: delete it when this is what you want")
}
