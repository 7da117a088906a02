package cli

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/kernel"
	"github.com/sre-go/sre/internal/livefile"
	"github.com/sre-go/sre/internal/sealed"
	"github.com/sre-go/sre/internal/vaultfile"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// Names of the encrypted vault, as its connector has them when nothing is configured.
const (
	encryptedVault   = "EncryptedFileVault"
	defaultVaultFile = "vault.age"
	defaultKeyFile   = "vault.key"
	defaultKeyEnv    = "SRE_VAULT_KEY"
)

// vaultSettings are where an encrypted vault and its key lie: names below the data folder, or absolute paths.
type vaultSettings struct{ file, keyFile, keyEnv string }

func defaultVault() vaultSettings {
	return vaultSettings{defaultVaultFile, defaultKeyFile, defaultKeyEnv}
}

func (s vaultSettings) config(dir string) vaultfile.Config {
	return vaultfile.Config{Place: livefile.At(dir, s.file, vaultfile.Limit()), Private: true, Effects: effect.System{}}
}

// on returns a name of the settings as a path of the machine.
func on(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

func (a *app) vaultInit() *cobra.Command {
	s := defaultVault()
	var passphrase bool
	c := &cobra.Command{
		Use:   "init",
		Short: "Make an encrypted vault and its key",
		Long: "Makes an empty encrypted vault and a key file beside it, in the data folder. From then on the runtime uses it instead\n" +
			"of vault.json, whose keys `sre vault import` takes over. A key file that is there already is used, never replaced.\n" +
			"With --passphrase there is no key file: the passphrase is asked for, or read from standard input or from $" + defaultKeyEnv + ".",
		Example: "  sre vault init\n  sre vault init --key-file /etc/sre/vault.key\n  sre vault init --passphrase",
		Args:    arguments(0, 0, "no arguments"),
		RunE:    func(c *cobra.Command, _ []string) error { return a.runVaultInit(c.Context(), s, passphrase) },
	}
	c.Flags().StringVar(&s.file, "file", s.file, "the vault: a name below the data folder, or an absolute path")
	c.Flags().StringVar(&s.keyFile, "key-file", s.keyFile, "its key: a name below the data folder, or an absolute path")
	c.Flags().BoolVar(&passphrase, "passphrase", false, "encrypt with a passphrase instead of a key file")
	return c
}

// withoutVault is the configuration of a command that makes the vault: what is not there yet cannot be opened.
func withoutVault() sre.Option {
	return sre.WithConfig(value.Obj(value.M("services", value.Obj(value.M("Vault", value.Obj(value.M("Connector", value.Of("NullVault"))))))))
}

func (a *app) runVaultInit(ctx context.Context, s vaultSettings, passphrase bool) (err error) {
	rt, err := a.start(ctx, withoutVault())
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	dir := rt.Dir()
	if dir == "" {
		return fault.Hint(fault.Newf(fault.NotFound, "there is no data folder"), "name one with --dir")
	}
	var k sealed.Keys
	var made bool
	if passphrase {
		k, err = a.initPassphrase(ctx, s, dir)
	} else {
		k, made, err = sealed.Create(ctx, s.config(dir), sealed.PlaceOf(dir, s.keyFile))
	}
	if err != nil {
		return err
	}
	return a.reportInit(s, dir, k, made)
}

func (a *app) initPassphrase(ctx context.Context, s vaultSettings, dir string) (sealed.Keys, error) {
	if disk.IsFile(on(dir, s.keyFile)) {
		return sealed.Keys{}, fault.Hint(fault.Newf(fault.Conflict, "there is a key file %s, which would be tried first", s.keyFile), "move it away")
	}
	k, err := a.newPassphrase(ctx)
	if err != nil {
		return sealed.Keys{}, err
	}
	c := s.config(dir)
	c.Codec = sealed.With(k)
	return k, vaultfile.Create(ctx, c)
}

// newPassphrase takes the passphrase from the environment, asks for it twice, or reads standard input.
func (a *app) newPassphrase(ctx context.Context) (sealed.Keys, error) {
	if text := a.Getenv(defaultKeyEnv); text != "" {
		return sealed.Passphrase(secret.New(text))
	}
	return a.askPassphrase(ctx)
}

func (a *app) askPassphrase(ctx context.Context) (sealed.Keys, error) {
	text, err := a.readSecret(ctx, "New passphrase of the vault: ")
	if err != nil {
		return sealed.Keys{}, err
	}
	k, err := sealed.Passphrase(text)
	if err != nil || a.Ask == nil {
		return k, err
	}
	again, err := a.Ask(ctx, "Again: ")
	if err != nil {
		return sealed.Keys{}, err
	}
	if !again.Equal(text) {
		return sealed.Keys{}, usageError{fault.Newf(fault.Invalid, "the two passphrases are not the same")}
	}
	return k, nil
}

func (a *app) reportInit(s vaultSettings, dir string, k sealed.Keys, made bool) error {
	file, keyFile := on(dir, s.file), on(dir, s.keyFile)
	if a.json {
		m := []value.Member{value.M("file", value.Of(file)), value.M("fingerprint", value.Of(k.Fingerprint()))}
		if !k.IsPassphrase() {
			m = append(m, value.M("keyFile", value.Of(keyFile)), value.M("newKey", value.OfBool(made)))
		}
		return a.show(value.Obj(m...))
	}
	lines := []string{"vault        " + file}
	switch {
	case k.IsPassphrase():
		lines = append(lines, "key          the passphrase: $"+defaultKeyEnv+", or asked for at the terminal",
			"", "Keep the passphrase where you will find it: without it nobody can read the vault.")
	default:
		word := "key          "
		if !made {
			word = "key (kept)   "
		}
		lines = append(lines, word+keyFile, "fingerprint  "+k.Fingerprint(),
			"", "Back up the key apart from the vault: without it nobody can read the vault, with both anybody can.")
	}
	if !usedByDefault(s) {
		lines = append(lines, "Name them in config.json of the data folder:", s.snippet(k))
	}
	for _, old := range []string{"vault.json", "vault/vault.json", ".sre/vault.json"} {
		if disk.IsFile(on(dir, old)) {
			lines = append(lines, "The keys in "+on(dir, old)+" are not used any more. Take them over: sre vault import "+on(dir, old))
			break
		}
	}
	return a.print(lines...)
}

// usedByDefault reports whether a vault is found without configuration.
func usedByDefault(s vaultSettings) bool { return s == defaultVault() }

func (s vaultSettings) snippet(k sealed.Keys) string {
	settings := []value.Member{value.M("file", value.Of(s.file))}
	if !k.IsPassphrase() {
		settings = append(settings, value.M("keyFile", value.Of(s.keyFile)))
	}
	return value.Obj(value.M("services", value.Obj(value.M("Vault", value.Obj(
		value.M("Connector", value.Of(encryptedVault)), value.M("Settings", value.Obj(settings...))))))).JSON()
}

func (a *app) vaultRotate() *cobra.Command {
	return &cobra.Command{
		Use:   "rotate",
		Short: "Encrypt the vault with a new key",
		Long: "Encrypts the vault with a new key and puts it into the key file, or with a new passphrase where a passphrase opens it.\n" +
			"It may be broken off at any moment and run again: until it has ended, the key file holds the old key and the new one.\n" +
			"Runtimes that are running take the new key over by themselves. The secrets stay: whoever has an old copy of the vault\n" +
			"and the old key can still read them.",
		Example: "  sre vault rotate",
		Args:    arguments(0, 0, "no arguments"),
		RunE:    func(c *cobra.Command, _ []string) error { return a.runVaultRotate(c.Context()) },
	}
}

func (a *app) runVaultRotate(ctx context.Context) (err error) {
	ask := remembering(a.Ask)
	rt, err := a.start(ctx, sre.WithPrompt(ask))
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	s, err := configuredVault(rt.Config())
	if err != nil {
		return err
	}
	source := &sealed.Source{Getenv: a.Getenv, Variable: s.keyEnv, Ask: ask}
	if s.keyFile != "" {
		source.File = sealed.PlaceOf(rt.Dir(), s.keyFile)
	}
	k, from, err := source.Keys(ctx)
	switch {
	case err != nil:
		return err
	case k.IsPassphrase() && from == sealed.FromFile:
		return fault.Hint(fault.Newf(fault.Unsupported, "the key file holds a passphrase, and cannot hold two"), "give the passphrase by the variable %s or at the terminal", s.keyEnv)
	case k.IsPassphrase():
		return a.rotatePassphrase(ctx, s.config(rt.Dir()), k, from, s)
	case from != sealed.FromFile:
		return fault.Hint(fault.Newf(fault.Unsupported, "the key does not come from a file, so a new one has nowhere to go"), "put the key into the key file for the time of the change, and take it out of the variable %s", s.keyEnv)
	}
	old, now, err := sealed.Rotate(ctx, s.config(rt.Dir()), source.File)
	if err != nil {
		return err
	}
	keyFile := on(rt.Dir(), s.keyFile)
	if a.json {
		return a.show(value.Obj(value.M("old", value.Of(old)), value.M("fingerprint", value.Of(now)), value.M("keyFile", value.Of(keyFile))))
	}
	return a.print("key          "+keyFile, "fingerprint  "+now+", was "+old, "",
		"Back up the new key. Keep the old one as long as you keep copies of the vault that it opens.")
}

func (a *app) rotatePassphrase(ctx context.Context, c vaultfile.Config, old sealed.Keys, from sealed.Origin, s vaultSettings) error {
	next, err := a.askPassphrase(ctx)
	if err != nil {
		return err
	}
	c.Codec = sealed.With(old)
	if err := vaultfile.Reseal(ctx, c, sealed.With(next)); err != nil {
		return err
	}
	if a.json {
		return a.show(value.Obj(value.M("fingerprint", value.Of(next.Fingerprint()))))
	}
	if from == sealed.FromVariable {
		return a.print("the vault has the new passphrase: change the variable " + s.keyEnv + " and start what is running again")
	}
	return a.print("the vault has the new passphrase: start what is running again")
}

// remembering asks the same question once.
func remembering(ask func(context.Context, string) (secret.Value, error)) func(context.Context, string) (secret.Value, error) {
	if ask == nil {
		return nil
	}
	answers := map[string]secret.Value{}
	return func(ctx context.Context, question string) (secret.Value, error) {
		if v, ok := answers[question]; ok {
			return v, nil
		}
		v, err := ask(ctx, question)
		if err == nil {
			answers[question] = v
		}
		return v, err
	}
}

// configuredVault returns the settings of the encrypted vault that is used when none is named.
func configuredVault(c kernel.Config) (vaultSettings, error) {
	all := c.Services["Vault"]
	i := max(slices.IndexFunc(all, func(in kernel.Instance) bool { return in.Default }), 0)
	if len(all) == 0 || all[i].Connector != encryptedVault {
		return vaultSettings{}, fault.Hint(fault.Newf(fault.Unsupported, "the vault has no key: it is not an %s", encryptedVault), "make an encrypted one: sre vault init")
	}
	s := defaultVault()
	for name, to := range map[string]*string{"file": &s.file, "keyFile": &s.keyFile, "keyEnv": &s.keyEnv} {
		if v := all[i].Settings.Get(name); !v.IsNil() {
			*to = v.Plain()
		}
	}
	return s, nil
}
