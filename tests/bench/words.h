/*
 * What the generated agent says: tables of words, no code.  In templates a `%`
 * and a letter stand for a value, see put_value() in agent_say.h:
 *
 *	%n number up to 500000	%i small number		%m milliseconds
 *	%t table		%p pipeline of the task	%c connector
 *	%h host			%u task's id		%f file
 *	%x execution time	%s user
 */
#ifndef BENCH_WORDS_H
#define BENCH_WORDS_H

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const pipelines[] = {
	"load_sales_orders",
	"sync_crm_contacts",
	"daily-finance-rollup",
	"Inventory Snapshot",
	"stage_web_events",
	"dbt_marts_refresh",
};

static const char *const tables[] = { "SALES.ORDERS", "SALES.ORDER_LINES", "CRM.CONTACTS",
	"FINANCE.GL_ENTRIES", "WEB.PAGE_VIEWS", "STAGING.EVENTS_RAW", "MARTS.DIM_CUSTOMER",
	"INVENTORY.STOCK_LEVELS" };
static const char *const connectors[] = { "snowflake", "salesforce", "postgres", "s3", "netsuite",
	"google-analytics" };
static const char *const hosts[] = { "acme.snowflakecomputing.com", "acme.my.salesforce.com",
	"orders-db.internal:5432", "api.netsuite.example.com" };
static const char *const users[] = { "etl_service", "j.doe@example.com", "maria", "scheduler",
	"finance-bot" };

enum logger {
	RUNNER,
	REQUESTS,
	HEART,
	SESSIONS,
	SQL,
	HTTP,
	LOADER,
	SCHEDULER,
	CONNECTIONS,
	MAIN,
};

/* As logback's %logger{36} shortens it, in full, and which threads log there. */
static const struct {
	const char *brief, *full, *thread;
	unsigned threads;
} loggers[] = {
	{ "c.m.agent.task.TaskRunner", "com.matillion.agent.task.TaskRunner", "task-", 20 },
	{ "c.m.agent.web.RequestLog", "com.matillion.agent.web.RequestLog", "http-nio-8080-exec-",
	    10 },
	{ "c.m.agent.Heartbeat", "com.matillion.agent.Heartbeat", "scheduling-", 1 },
	{ "c.m.agent.session.SessionRegistry", "com.matillion.agent.session.SessionRegistry",
	    "http-nio-8080-exec-", 10 },
	{ "c.m.agent.sql.StatementExecutor", "com.matillion.agent.sql.StatementExecutor", "task-",
	    20 },
	{ "c.m.agent.connect.RestClient", "com.matillion.agent.connect.RestClient", "task-", 20 },
	{ "c.m.agent.load.StageLoader", "com.matillion.agent.load.StageLoader", "loader-", 4 },
	{ "c.m.agent.task.Scheduler", "com.matillion.agent.task.Scheduler", "scheduling-", 1 },
	{ "c.m.agent.connect.ConnectionPool", "com.matillion.agent.connect.ConnectionPool",
	    "pool-housekeeper-", 2 },
	{ "c.m.agent.AgentApplication", "com.matillion.agent.AgentApplication", "main-", 1 },
};

/* Lines that mean nothing to the metrics; some of the last try to look as if they did. */
static const struct {
	const char *level;
	enum logger logger;
	const char *says;
} chatter[] = {
	{ "DEBUG", SQL, "Executing SELECT id, amount FROM %t WHERE id > %n" },
	{ "DEBUG", SQL, "Fetched %n rows from %t in %m ms" },
	{ "DEBUG", HTTP, "GET https://%h/api/v2/query?page=%i returned 200 in %m ms" },
	{ "DEBUG", CONNECTIONS, "Pool %c: total=%i active=%i idle=%i waiting=0" },
	{ "DEBUG", LOADER, "Compressing %f: %n bytes in, ratio %i percent" },
	{ "INFO", LOADER, "Uploaded %f to @%t, %n bytes" },
	{ "INFO", LOADER, "COPY INTO %t finished: rows_loaded=%n files=%i" },
	{ "INFO", SQL, "Statement on %h took %m ms: MERGE INTO %t, %n rows changed" },
	{ "INFO", SCHEDULER, "Queue has %i tasks waiting, first \"%s\"" },
	{ "INFO", HTTP, "Connected to %c at %h as %s (TLSv1.3)" },
	{ "INFO", SCHEDULER, "Next run of %f in %i minutes" },
	{ "INFO", CONNECTIONS, "Evicted %i idle connections to %h" },
	{ "WARN", HTTP, "Rate limit of %c is near: %i calls left, waiting %m ms" },
	{ "INFO", HTTP, "Retrying %c after a transient ERROR of the server, attempt %i of 5" },
	{ "DEBUG", SQL, "Value \"TASK_COMPLETED\" in column STATUS of %t is kept as text" },
	{ "DEBUG", SCHEDULER, "Counter NOT_TASK_COMPLETED stands at %n for %s" },
};

/* An exception, what it says, and what caused it (an index into this table, or -1). */
static const struct exception {
	const char *class, *says;
	int cause;
} exceptions[] = {
	{ "java.net.SocketTimeoutException", "Read timed out", -1 },
	{ "java.net.ConnectException", "Connection refused (Connection refused) to %h", -1 },
	{ "java.io.FileNotFoundException", "%f (No such file or directory)", -1 },
	{ "java.lang.NullPointerException",
	    "Cannot invoke \"String.length()\" because \"column\" is null", -1 },
	{ "java.sql.SQLTimeoutException", "Statement cancelled after %m ms on %h", 0 },
	{ "java.sql.SQLException", "Communications link failure with %h", 1 },
	{ "com.matillion.agent.connect.ConnectorException",
	    "Connector %c gave up after %i attempts", 5 },
	{ "com.matillion.agent.load.StageException", "Cannot stage %f for %t", 2 },
	{ "java.lang.IllegalStateException", "Pool %c is shut down", -1 },
	{ "java.lang.OutOfMemoryError", "Java heap space", -1 },
};

static const char *const frames[] = {
	"com.matillion.agent.task.TaskRunner.execute(TaskRunner.java:214)",
	"com.matillion.agent.task.TaskRunner.lambda$submit$3(TaskRunner.java:151)",
	"com.matillion.agent.sql.StatementExecutor.run(StatementExecutor.java:88)",
	"com.matillion.agent.connect.RestClient.exchange(RestClient.java:132)",
	"com.matillion.agent.connect.ConnectionPool.borrow(ConnectionPool.java:97)",
	"com.matillion.agent.load.StageLoader.stage(StageLoader.java:176)",
	"com.zaxxer.hikari.pool.HikariPool.getConnection(HikariPool.java:181)",
	"com.zaxxer.hikari.HikariDataSource.getConnection(HikariDataSource.java:112)",
	"org.springframework.jdbc.core.JdbcTemplate.execute(JdbcTemplate.java:381)",
	"org.springframework.jdbc.core.JdbcTemplate.query(JdbcTemplate.java:476)",
	"org.springframework.aop.framework.JdkDynamicAopProxy.invoke(JdkDynamicAopProxy.java:223)",
	"net.snowflake.client.core.SFStatement.execute(SFStatement.java:753) ~[snowflake-jdbc.jar:na]",
	"java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:283)",
	"java.base/java.net.Socket$SocketInputStream.read(Socket.java:966)",
	"java.base/java.util.concurrent.FutureTask.run(FutureTask.java:264)",
	"java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1136)",
	"java.base/java.util.concurrent.ThreadPoolExecutor$Worker.run(ThreadPoolExecutor.java:635)",
	"java.base/java.lang.Thread.run(Thread.java:840)",
};

#endif
