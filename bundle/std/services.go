package std

import (
	"slices"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/agent/agentdata"
	"github.com/sre-go/sre/subsystem/agent/agentdata/ephemeralagentdata"
	"github.com/sre-go/sre/subsystem/agent/agentdata/localagentdata"
	"github.com/sre-go/sre/subsystem/agent/agentdata/nullagentdata"
	"github.com/sre-go/sre/subsystem/agent/catalog"
	"github.com/sre-go/sre/subsystem/agent/catalog/localcomponent"
	"github.com/sre-go/sre/subsystem/agent/scheduler"
	"github.com/sre-go/sre/subsystem/agent/scheduler/localscheduler"
	"github.com/sre-go/sre/subsystem/io/cli"
	"github.com/sre-go/sre/subsystem/io/cli/argumentcli"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/subsystem/io/nkv/localnkv"
	"github.com/sre-go/sre/subsystem/io/nkv/ramnkv"
	"github.com/sre-go/sre/subsystem/io/nkv/redisnkv"
	"github.com/sre-go/sre/subsystem/io/nkv/sqlitenkv"
	"github.com/sre-go/sre/subsystem/io/router"
	"github.com/sre-go/sre/subsystem/io/router/httprouter"
	"github.com/sre-go/sre/subsystem/io/router/nullrouter"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/subsystem/io/storage/localstorage"
	"github.com/sre-go/sre/subsystem/io/storage/ramstorage"
	"github.com/sre-go/sre/subsystem/io/storage/sqlitestorage"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/subsystem/io/vectordb/ramvec"
	"github.com/sre-go/sre/subsystem/io/vectordb/sqlitevec"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/anthropicllm"
	"github.com/sre-go/sre/subsystem/llm/llm/echollm"
	"github.com/sre-go/sre/subsystem/llm/llm/openaillm"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/subsystem/llm/models/jsonmodels"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/subsystem/memory/cache/localcache"
	"github.com/sre-go/sre/subsystem/memory/cache/ramcache"
	"github.com/sre-go/sre/subsystem/memory/cache/rediscache"
	"github.com/sre-go/sre/subsystem/memory/cache/sqlitecache"
	"github.com/sre-go/sre/subsystem/observe/logsink"
	"github.com/sre-go/sre/subsystem/observe/logsink/consolelog"
	"github.com/sre-go/sre/subsystem/observe/logsink/filelog"
	"github.com/sre-go/sre/subsystem/observe/logsink/smythlog"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/subsystem/security/account/dummyaccount"
	"github.com/sre-go/sre/subsystem/security/account/jsonfileaccount"
	"github.com/sre-go/sre/subsystem/security/account/sqliteaccount"
	"github.com/sre-go/sre/subsystem/security/managedvault"
	"github.com/sre-go/sre/subsystem/security/managedvault/nullmanagedvault"
	"github.com/sre-go/sre/subsystem/security/managedvault/sqlitemanagedvault"
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/subsystem/security/vault/agevault"
	"github.com/sre-go/sre/subsystem/security/vault/jsonfilevault"
	"github.com/sre-go/sre/subsystem/security/vault/nullvault"
)

// Kinds returns every service.
func Kinds() []connector.AnyKind {
	return []connector.AnyKind{
		account.Kind, vault.Kind, managedvault.Kind, storage.Kind, cache.Kind, nkv.Kind, models.Kind, llm.Kind, vectordb.Kind,
		agentdata.Kind, catalog.Kind, scheduler.Kind, logsink.Kind, cli.Kind, router.Kind,
	}
}

// Connectors returns every connector.
func Connectors() []connector.Definition {
	return append(slices.Concat(openaillm.Definitions(), cloud(), plain()), []connector.Definition{
		dummyaccount.Definition, jsonfileaccount.Definition, sqliteaccount.Definition,
		jsonfilevault.Definition, agevault.Definition, nullvault.Definition,
		sqlitemanagedvault.Definition, nullmanagedvault.Definition,
		localstorage.Definition(), sqlitestorage.Definition(), ramstorage.Definition(),
		ramcache.Definition(), sqlitecache.Definition(), localcache.Definition(), rediscache.Definition(),
		ramnkv.Definition(), sqlitenkv.Definition(), localnkv.Definition(), redisnkv.Definition(),
		ramvec.Definition(), sqlitevec.Definition(),
		jsonmodels.Definition, echollm.Definition, anthropicllm.Definition,
		ephemeralagentdata.Definition, localagentdata.Definition, nullagentdata.Definition,
		localcomponent.Definition(Components()),
		localscheduler.Definition(),
		consolelog.Definition, filelog.Definition, smythlog.Definition,
		argumentcli.Definition,
		httprouter.Definition, nullrouter.Definition,
	}...)
}
