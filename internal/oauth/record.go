package oauth

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// Types of tokens, as records name them.
const (
	OAuth1            = "oauth"
	OAuth2            = "oauth2"
	ClientCredentials = "oauth2_client_credentials" // as the name of a service: tokens without a user
)

// Record is an entry of the managed vault: tokens, and how to get new ones. Its settings are texts that may refer to the
// vault with {{KEY(name)}}. It is immutable.
//
// There are two forms. The new one has the members auth_data and auth_settings, the old one has all on one level, with
// more in oauth_info. A record keeps the form it was read in.
type Record struct {
	Tokens
	Type           string // "oauth" or "oauth2"
	Service        string
	TokenURL       string
	Scope          string
	ClientID       string
	ClientSecret   secret.Value
	ConsumerKey    string
	ConsumerSecret secret.Value
	Hosts          []string // that the access token may be sent to, nil for any

	raw value.Value
	old bool
}

// Names of the members.
const (
	keyData     = "auth_data"
	keySettings = "auth_settings"
	keyInfo     = "oauth_info"
	keyPrimary  = "primary"
	keySecond   = "secondary"
	keyExpires  = "expires_in"
	keyHosts    = "hosts"
)

// NewRecord returns a record in the new form. settings are the members of auth_settings.
func NewRecord(settings value.Value, hosts []string) (Record, error) {
	if len(hosts) > 0 {
		settings = settings.With(keyHosts, value.Strings(hosts))
	}
	return readRecord(value.Obj(value.M(keyData, value.Obj()), value.M(keySettings, settings)))
}

// ParseRecord reads an entry. What is no record is [fault.Invalid]; its text is not part of the error.
func ParseRecord(entry secret.Value) (Record, error) {
	v, err := value.Parse(entry.Reveal())
	if err != nil {
		return Record{}, fault.Newf(fault.Invalid, "the entry of the managed vault is not JSON")
	}
	return readRecord(v)
}

func readRecord(v value.Value) (Record, error) {
	if !v.IsObject() {
		return Record{}, fault.Newf(fault.Invalid, "the entry of the managed vault is no object")
	}
	r := Record{raw: v, old: !v.Has(keyData) && !v.Has(keySettings)}
	data, settings := v.Get(keyData), v.Get(keySettings)
	more := value.Value{}
	if r.old {
		data, settings, more = v, v, v.Get(keyInfo)
	}
	text := func(name string) string {
		if s := settings.GetString(name); s != "" {
			return s
		}
		return more.GetString(name)
	}
	r.Type, r.Service, r.TokenURL, r.Scope = text("type"), text("service"), text("tokenURL"), text("scope")
	r.ClientID, r.ClientSecret = text("clientID"), secret.New(text("clientSecret"))
	r.ConsumerKey, r.ConsumerSecret = text("consumerKey"), secret.New(text("consumerSecret"))
	for _, h := range settings.Get(keyHosts).Items() {
		if s, ok := h.Str(); ok {
			r.Hosts = append(r.Hosts, s)
		}
	}
	r.Primary = secret.New(data.GetString(keyPrimary)).For(r.Hosts...)
	r.Secondary = secret.New(data.GetString(keySecond))
	expires, err := readExpiry(data.Get(keyExpires))
	r.Expires = expires
	return r, err
}

// readExpiry reads milliseconds since 1970, as a number or as text. Nothing, and 0, is no time.
func readExpiry(v value.Value) (time.Time, error) {
	ms, ok := v.Num()
	if s, isText := v.Str(); isText {
		s = strings.TrimSpace(s)
		if s == "" || s == "undefined" || s == "null" {
			return time.Time{}, nil
		}
		n, err := strconv.ParseFloat(s, 64)
		ms, ok = n, err == nil
	}
	switch {
	case v.IsNil():
		return time.Time{}, nil
	case !ok || math.IsNaN(ms) || math.Abs(ms) > 8.64e15:
		return time.Time{}, fault.Newf(fault.Invalid, "the entry of the managed vault holds no time in expires_in")
	case ms == 0:
		return time.Time{}, nil
	}
	return time.UnixMilli(int64(ms)), nil
}

// WithTokens returns the record with other tokens. An empty Secondary keeps the one there is: servers send a refresh
// token only when it changes.
func (r Record) WithTokens(t Tokens) Record {
	data := r.raw
	if !r.old {
		data = r.raw.Get(keyData)
		if !data.IsObject() {
			data = value.Obj()
		}
	}
	data = data.With(keyPrimary, value.Of(t.Primary.Reveal()))
	if !t.Secondary.IsZero() {
		data = data.With(keySecond, value.Of(t.Secondary.Reveal()))
		r.Secondary = t.Secondary
	}
	if t.Expires.IsZero() {
		data = data.Without(keyExpires)
	} else {
		data = data.With(keyExpires, value.Of(strconv.FormatInt(t.Expires.UnixMilli(), 10)))
	}
	r.Primary, r.Expires = t.Primary.For(r.Hosts...), t.Expires
	if r.old {
		r.raw = data
	} else {
		r.raw = r.raw.With(keyData, data)
	}
	return r
}

// Entry returns the record as it is stored.
func (r Record) Entry() secret.Value { return secret.New(r.raw.JSON()) }

// Key returns the name of the entry of a component: that of the connection it names, or one of its own.
func Key(connection, component string) string {
	if connection != "" && connection != "None" {
		return connection
	}
	return "OAUTH_" + component + "_TOKENS"
}
