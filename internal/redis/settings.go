package redis

import (
	"net"
	"strconv"
	"strings"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// Settings are those of every connector that keeps its data in Redis.
type Settings struct {
	Hosts            value.Value  `json:"hosts" doc:"Where Redis is: \"host:port\", several separated by commas, or a list of them or of {\"host\": ..., \"port\": ...}. Several hosts are Sentinels. REDIS_HOSTS when it is empty."`
	Name             string       `json:"name" sre:"allowEmpty" doc:"What the Sentinels call the master. REDIS_MASTER_NAME when it is empty."`
	Username         string       `json:"username" sre:"allowEmpty" doc:"User of Redis; the default user when it is empty."`
	Password         secret.Value `json:"password" doc:"Password of Redis. REDIS_PASSWORD when it is empty."`
	SentinelPassword secret.Value `json:"sentinelPassword" doc:"Password of the Sentinels, when they have one."`
	Database         int          `json:"database" doc:"Number of the database." sre:"default=0,min=0"`
	TLS              bool         `json:"tls" doc:"Speak TLS and check the certificate of the server." sre:"default=false"`
	CA               string       `json:"ca" sre:"allowEmpty" doc:"Certificates in PEM that the one of the server may come from; those of the system when it is empty."`
	Prefix           string       `json:"prefix" sre:"allowEmpty" doc:"Begins every key, for several runtimes in one database. Without it the keys are those of the reference."`
}

// options completes settings from the environment and checks them.
func options(env connector.Env, s Settings) (Options, error) {
	o := Options{
		Name: s.Name, Username: s.Username, Password: s.Password, SentinelPassword: s.SentinelPassword, Database: s.Database,
		TLS: s.TLS, CA: s.CA, Dial: env.Dial,
	}
	hosts := s.Hosts
	if text, isText := hosts.Str(); hosts.IsNil() || isText && text == "" || hosts.IsArray() && hosts.Len() == 0 {
		hosts = value.Of(env.Variable("REDIS_HOSTS"))
	}
	if o.Name == "" {
		o.Name = env.Variable("REDIS_MASTER_NAME")
	}
	if o.Password.IsZero() {
		o.Password = secret.New(env.Variable("REDIS_PASSWORD"))
	}
	var err error
	if o.Hosts, err = addresses(hosts); err != nil {
		return Options{}, err
	}
	return o, nil
}

// Open makes a client from the settings of a connector. It does not connect yet.
func Open(env connector.Env, s Settings) (*Client, error) {
	o, err := options(env, s)
	if err != nil {
		return nil, err
	}
	for _, password := range []secret.Value{o.Password, o.SentinelPassword} {
		if env.Secrets != nil && !password.IsZero() {
			env.Secrets.Note("", password)
		}
	}
	return New(o)
}

// addresses reads the setting hosts.
func addresses(hosts value.Value) ([]string, error) {
	var list []string
	switch {
	case hosts.IsArray():
		for _, one := range hosts.Items() {
			address, err := addressOf(one)
			if err != nil {
				return nil, err
			}
			list = append(list, address)
		}
	case hosts.IsObject():
		address, err := addressOf(hosts)
		if err != nil {
			return nil, err
		}
		list = append(list, address)
	default:
		text, ok := hosts.Str()
		if !ok {
			return nil, badHosts("hosts is a text or a list, not a %s", hosts.Kind())
		}
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			address, err := addressOf(value.Of(part))
			if err != nil {
				return nil, err
			}
			list = append(list, address)
		}
	}
	if len(list) == 0 {
		return nil, badHosts("no host of Redis is configured")
	}
	return list, nil
}

// defaultPort is where Redis listens when nothing is said.
const defaultPort = "6379"

// addressOf reads one host: "host:port", "host", or an object of both.
func addressOf(one value.Value) (string, error) {
	if text, ok := one.Str(); ok {
		host, port, err := net.SplitHostPort(text)
		if err != nil {
			host, port = strings.Trim(text, "[]"), defaultPort
		}
		return address(host, port)
	}
	if !one.IsObject() {
		return "", badHosts("a host is a text or an object with host and port, not a %s", one.Kind())
	}
	host, _ := one.Get("host").Str()
	port := defaultPort
	if p := one.Get("port"); !p.IsNil() {
		port = p.Plain()
	}
	return address(host, port)
}

func address(host, port string) (string, error) {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", badHosts("%q is no port", port)
	}
	if host == "" || strings.ContainsAny(host, "/@ \t\r\n") || strings.Contains(host, ":") && net.ParseIP(host) == nil {
		return "", badHosts("%q is no host", host)
	}
	return net.JoinHostPort(host, strconv.FormatUint(n, 10)), nil
}

func badHosts(format string, args ...any) error {
	return fault.Hint(fault.Newf(fault.Invalid, format, args...), `set hosts of the connector or the variable REDIS_HOSTS, such as "127.0.0.1:6379"`)
}
