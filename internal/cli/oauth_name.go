package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/oauth"
	"github.com/sre-go/sre/value"
)

// connectionFlags describe a connection that belongs to no component.
type connectionFlags struct {
	name, team                 string
	authorizationURL, tokenURL string
	clientID, secretKey, scope string
	clientCredentials          bool
}

// flags pairs the settings of a connection with the flags that give them.
func flags() [][2]string {
	return [][2]string{{"authorizationURL", "authorization-url"}, {"tokenURL", "token-url"}, {"clientID", "client-id"}, {"scope", "scope"}}
}

// flagOf returns the flag of a setting.
func flagOf(setting string) string {
	for _, pair := range flags() {
		if pair[0] == setting {
			return pair[1]
		}
	}
	return setting
}

// addName adds the flags that tell which connection.
func (f *connectionFlags) addName(a *app, c *cobra.Command) {
	c.Flags().StringVar(&f.name, "name", "", "name of a connection that belongs to no component")
	teamOf(a, c, &f.team, "team of the connection, with --name")
}

// add adds all flags.
func (f *connectionFlags) add(a *app, c *cobra.Command) {
	f.addName(a, c)
	c.Flags().StringVar(&f.authorizationURL, "authorization-url", "", "where the user allows the access, with --name")
	c.Flags().StringVar(&f.tokenURL, "token-url", "", "where tokens are got and renewed, with --name")
	c.Flags().StringVar(&f.clientID, "client-id", "", "id of the client at the service, with --name")
	c.Flags().StringVar(&f.secretKey, "client-secret-key", "", "key of the team's vault that holds the client secret, with --name")
	c.Flags().StringVar(&f.scope, "scope", "", "what is asked for, with --name")
	c.Flags().BoolVar(&f.clientCredentials, "client-credentials", false, "get tokens for the client itself, and ask nobody, with --name")
}

// fits refuses flags that would be passed over: those of a connection by name with a file, and the other way round.
func (f oauthFlags) fits(byName bool) error {
	if byName && f.component != "" {
		return fault.Newf(fault.Invalid, "--component names a part of an agent file, and --name a connection that belongs to none")
	}
	for _, text := range []string{f.byName.authorizationURL, f.byName.tokenURL, f.byName.clientID, f.byName.secretKey, f.byName.scope} {
		if !byName && (text != "" || f.byName.clientCredentials) {
			return fault.Newf(fault.Invalid, "the component says where and as whom to connect; these flags go with --name")
		}
	}
	return nil
}

// named makes the connection one that belongs to no component.
func (x *connection) named(f connectionFlags) error {
	team, err := access.Team(f.team)
	if err != nil {
		return usageError{fault.Newf(fault.Invalid, "the team: %w", err)}
	}
	service := oauth.OAuth2
	if f.clientCredentials {
		service = oauth.ClientCredentials
	}
	b := value.NewBuilder(6).Set("oauthService", value.Of(service))
	for i, text := range []string{f.authorizationURL, f.tokenURL, f.clientID, f.scope} {
		if text != "" {
			b.Set(flags()[i][0], value.Of(text))
		}
	}
	if f.secretKey != "" {
		b.Set("clientSecret", value.Of("{{KEY("+f.secretKey+")}}"))
	}
	x.as, x.settings, x.key = x.runtime.As(team), b.Build(), f.name
	return nil
}

// keepClient keeps a connection whose tokens the client gets for itself, when they are needed.
func (a *app) keepClient(ctx context.Context, x *connection) error {
	if err := x.need("tokenURL", "clientID"); err != nil {
		return err
	}
	if _, err := x.reveal(ctx, "clientSecret", ""); err != nil { // a key that is not there is told now
		return err
	}
	r, err := x.record(oauth.OAuth2, oauth.Tokens{}, "tokenURL", "clientID", "clientSecret", "scope")
	if err != nil {
		return err
	}
	if err := x.as.ManagedVault().Set(ctx, x.key, r.Entry()); err != nil {
		return err
	}
	return a.told(x, connected)
}
