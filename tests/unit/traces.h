/*
 * Traces as they stand in logs: of the JVM's languages and libraries with the
 * class of the outermost exception and of its root (NULL: none), of other
 * languages without.  The words are our own.
 */
#ifndef TRACES_H
#define TRACES_H

/* So that one trace is longer than what an open record holds. */
#define AGAIN_1 "\tat a.b.C.again(C.java:7)\n"
#define AGAIN_4 AGAIN_1 AGAIN_1 AGAIN_1 AGAIN_1
#define AGAIN AGAIN_4 AGAIN_4 AGAIN_4 AGAIN_4 AGAIN_4

struct trace_case {
	const char *of, *text, *type, *root;
};

static const struct trace_case jvm_traces[] = {
	{ "java: plain",
	    "java.lang.IllegalStateException: no run\n"
	    "\tat a.b.C.run(C.java:10)\n"
	    "\tat java.base/java.lang.Thread.run(Thread.java:840)",
	    "java.lang.IllegalStateException", NULL },
	{ "java: no message",
	    "java.lang.NullPointerException\n"
	    "\tat a.b.C.run(C.java:10)",
	    "java.lang.NullPointerException", NULL },
	{ "java: causes",
	    "a.b.LoadException: load\n"
	    "\tat a.b.C.load(C.java:1)\n"
	    "Caused by: a.b.ReadException: read\n"
	    "\tat a.b.C.read(C.java:2)\n"
	    "\t... 1 more\n"
	    "Caused by: java.io.EOFException\n"
	    "\tat a.b.C.next(C.java:3)\n"
	    "\t... 2 more",
	    "a.b.LoadException", "java.io.EOFException" },
	{ "java: suppressed",
	    "java.io.IOException: body\n"
	    "\tat a.b.C.run(C.java:1)\n"
	    "\tSuppressed: java.io.IOException: close\n"
	    "\t\tat a.b.R.close(R.java:5)\n"
	    "\t\tCaused by: java.net.SocketException: reset\n"
	    "\t\t\t... 2 more\n"
	    "Caused by: java.sql.SQLException: gone\n"
	    "\t... 1 more",
	    "java.io.IOException", "java.sql.SQLException" },
	{ "java: circular",
	    "a.b.OneException: 1\n"
	    "\tat a.b.C.run(C.java:1)\n"
	    "Caused by: a.b.TwoException: 2\n"
	    "\tat a.b.C.run(C.java:2)\n"
	    "\t... 1 more\n"
	    "Caused by: [CIRCULAR REFERENCE: a.b.OneException: 1]",
	    "a.b.OneException", "a.b.TwoException" },
	{ "java: inner class",
	    "a.b.Errors$NotFound: 404\n"
	    "\tat a.b.C.run(C.java:1)",
	    "a.b.Errors$NotFound", NULL },
	{ "java: module and jar",
	    "java.lang.ClassCastException: class a.B cannot be cast\n"
	    "\tat app//a.b.C.run(C.java:1) ~[app.jar!/:1.0]\n"
	    "\tat java.base@21/java.lang.Thread.run(Thread.java:1583) ~[?:?]",
	    "java.lang.ClassCastException", NULL },
	{ "java: native, unknown",
	    "java.lang.UnsatisfiedLinkError: no x\n"
	    "\tat java.lang.ClassLoader.load0(Native Method)\n"
	    "\tat a.b.C.<clinit>(Unknown Source)",
	    "java.lang.UnsatisfiedLinkError", NULL },
	{ "java: stack overflow",
	    "java.lang.StackOverflowError: null\n" AGAIN AGAIN AGAIN AGAIN
	    "\tat a.b.C.run(C.java:1)",
	    "java.lang.StackOverflowError", NULL },
	{ "java: message of lines",
	    "java.lang.IllegalArgumentException: bad input:\n"
	    "first\n"
	    "second\n"
	    "\n"
	    "fourth\n"
	    "\tat a.b.C.run(C.java:1)",
	    "java.lang.IllegalArgumentException", NULL },
	{ "java: dates in a message",
	    "java.lang.IllegalArgumentException: rows\n"
	    "2026-11-22 08:00:00 | 5\n"
	    "2026-11-23 09:00:00 | 6\n"
	    "\tat a.b.C.run(C.java:1)",
	    "java.lang.IllegalArgumentException", NULL },
	{ "java: a message that begins on the next line",
	    "java.lang.RuntimeException: \n"
	    "[CODE_7] what it says\n"
	    "\tat a.b.C.run(C.java:1)",
	    "java.lang.RuntimeException", NULL },
	{ "java: frames without blanks",
	    "java.io.IOException: x\n"
	    "at a.b.C.run(C.java:1)\n"
	    "at a.b.C.main(C.java:2)\n"
	    "Caused by: java.net.UnknownHostException: h\n"
	    "... 2 more",
	    "java.io.IOException", "java.net.UnknownHostException" },
	{ "java: four blanks",
	    "java.io.IOException: x\n"
	    "    at a.b.C.run(C.java:1)\n"
	    "Caused by: java.net.UnknownHostException: h\n"
	    "    ... 2 common frames omitted",
	    "java.io.IOException", "java.net.UnknownHostException" },
	{ "java: root first",
	    "java.net.ConnectException: refused\n"
	    "\tat a.b.N.open(N.java:1)\n"
	    "Wrapped by: a.b.LoadException: load\n"
	    "\tat a.b.C.load(C.java:1)",
	    "a.b.LoadException", "java.net.ConnectException" },
	{ "java: a package without a suffix",
	    "com.shop.checkout.PaymentRefused: card\n"
	    "\tat com.shop.checkout.C.pay(C.java:1)",
	    "com.shop.checkout.PaymentRefused", NULL },
	{ "java: no package",
	    "BadRow: 7\n"
	    "\tat Script1.run(Script1.groovy:3)",
	    "BadRow", NULL },
	{ "java: a problem",
	    "org.zalando.problem.ThrowableProblem: Bad Request\n"
	    "\tat a.b.C.run(C.java:1)",
	    "org.zalando.problem.ThrowableProblem", NULL },
	{ "java: execution",
	    "java.util.concurrent.ExecutionException: java.lang.OutOfMemoryError: Java heap space\n"
	    "\tat java.util.concurrent.FutureTask.report(FutureTask.java:122)\n"
	    "Caused by: java.lang.OutOfMemoryError: Java heap space",
	    "java.util.concurrent.ExecutionException", "java.lang.OutOfMemoryError" },
	{ "java: lambda and hidden frames",
	    "java.util.NoSuchElementException: No value present\n"
	    "\tat java.util.Optional.get(Optional.java:143)\n"
	    "\tat a.b.C.lambda$run$0(C.java:5)\n"
	    "\tat a.b.C$$Lambda/0x00007f1c.apply(Unknown Source)",
	    "java.util.NoSuchElementException", NULL },
	{ "java: initializer",
	    "java.lang.ExceptionInInitializerError\n"
	    "\tat a.b.C.run(C.java:1)\n"
	    "Caused by: java.lang.RuntimeException: Uncompilable code\n"
	    "\tat a.b.D.<clinit>(D.java:3)\n"
	    "\t... 4 more",
	    "java.lang.ExceptionInInitializerError", "java.lang.RuntimeException" },
	{ "kotlin: companion",
	    "kotlin.UninitializedPropertyAccessException: lateinit property x has not been initialized\n"
	    "\tat a.b.MainKt.main(Main.kt:9)\n"
	    "\tat a.b.Job$Companion.start(Job.kt:3)",
	    "kotlin.UninitializedPropertyAccessException", NULL },
	{ "kotlin: inner class",
	    "a.b.LoadJob$RowRejected: row 5\n"
	    "\tat a.b.LoadJob.reject(LoadJob.kt:44)\n"
	    "\tat a.b.LoadJob.access$reject(LoadJob.kt:1)",
	    "a.b.LoadJob$RowRejected", NULL },
	{ "coroutines: cancelled",
	    "kotlinx.coroutines.JobCancellationException: Parent job is Cancelling; job=JobImpl{Cancelling}@1b2\n"
	    "Caused by: java.lang.IllegalStateException: first\n"
	    "\tat a.b.W$run$1.invokeSuspend(W.kt:12)\n"
	    "\tat kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith(ContinuationImpl.kt:33)\n"
	    "\tSuppressed: kotlinx.coroutines.internal.DiagnosticCoroutineContextException: [StandaloneCoroutine{Cancelling}@5f, Dispatchers.IO]",
	    "kotlinx.coroutines.JobCancellationException", "java.lang.IllegalStateException" },
	{ "coroutines: boundary",
	    "java.lang.IllegalStateException: late\n"
	    "\tat a.b.W.work(W.kt:3)\n"
	    "\tat _COROUTINE._BOUNDARY._(CoroutineDebugging.kt:46)\n"
	    "\tat a.b.W$run$2.invokeSuspend(W.kt:20)\n"
	    "Caused by: java.lang.IllegalStateException: late\n"
	    "\t... 3 more",
	    "java.lang.IllegalStateException", "java.lang.IllegalStateException" },
	{ "scala: match",
	    "scala.MatchError: (1,x) (of class scala.Tuple2)\n"
	    "\tat a.b.C$.$anonfun$run$1(C.scala:4)\n"
	    "\tat scala.collection.immutable.List.map(List.scala:246)",
	    "scala.MatchError", NULL },
	{ "scala: object",
	    "a.b.Loader$Failed$: none\n"
	    "\tat a.b.Loader$.run(Loader.scala:8)",
	    "a.b.Loader$Failed$", NULL },
	{ "scala: control",
	    "scala.util.control.NonFatalException: x\n"
	    "\tat a.b.C.run(C.scala:1)\n"
	    "Caused by: java.lang.ArithmeticException: / by zero\n"
	    "\tat a.b.C.$div(C.scala:2)\n"
	    "\t... 1 more",
	    "scala.util.control.NonFatalException", "java.lang.ArithmeticException" },
	{ "akka: ask",
	    "akka.pattern.AskTimeoutException: Ask timed out on [Actor[akka://s/user/w#1]] after [5000 ms]. Message of type [a.b.Get]. A typical reason is that the recipient was slow.\n"
	    "\tat akka.pattern.PromiseActorRef$.$anonfun$defaultOnTimeout$1(AskSupport.scala:675)",
	    "akka.pattern.AskTimeoutException", NULL },
	{ "groovy: compile",
	    "org.codehaus.groovy.control.MultipleCompilationErrorsException: startup failed:\n"
	    "Script1.groovy: 1: unexpected token: ) @ line 1, column 5.\n"
	    "   foo)\n"
	    "       ^\n"
	    "\n"
	    "1 error\n"
	    "\n"
	    "\tat org.codehaus.groovy.control.ErrorCollector.fail(ErrorCollector.java:292)",
	    "org.codehaus.groovy.control.MultipleCompilationErrorsException", NULL },
	{ "groovy: missing",
	    "groovy.lang.MissingPropertyException: No such property: x for class: Script1\n"
	    "\tat Script1.run(Script1.groovy:2)",
	    "groovy.lang.MissingPropertyException", NULL },
	{ "clojure",
	    "clojure.lang.ExceptionInfo: bad {:a 1,\n"
	    " :b 2}\n"
	    "\tat user$f.invokeStatic(f.clj:1)\n"
	    "\tat clojure.lang.AFn.run(AFn.java:22)",
	    "clojure.lang.ExceptionInfo", NULL },
	{ "spring: bean",
	    "org.springframework.beans.factory.BeanCreationException: Error creating bean with name 'x': Invocation of init method failed\n"
	    "\tat org.springframework.beans.F.init(F.java:1)\n"
	    "Caused by: java.lang.IllegalArgumentException: url\n"
	    "\tat a.b.C.init(C.java:1)\n"
	    "\t... 20 common frames omitted",
	    "org.springframework.beans.factory.BeanCreationException",
	    "java.lang.IllegalArgumentException" },
	{ "spring: not found",
	    "org.springframework.web.client.HttpClientErrorException$NotFound: 404 Not Found: \"{\n"
	    "  \"error\" : \"none\"\n"
	    "}\"\n"
	    "\tat org.springframework.web.client.HttpClientErrorException.create(HttpClientErrorException.java:113)",
	    "org.springframework.web.client.HttpClientErrorException$NotFound", NULL },
	{ "spring: bad sql",
	    "org.springframework.jdbc.BadSqlGrammarException: StatementCallback; bad SQL grammar [\n"
	    "select *\n"
	    "  from t\n"
	    " where x = 1\n"
	    "]; nested exception is org.postgresql.util.PSQLException: ERROR: relation \"t\" does not exist\n"
	    "  Position: 15\n"
	    "\tat org.springframework.jdbc.S.translate(S.java:1)\n"
	    "Caused by: org.postgresql.util.PSQLException: ERROR: relation \"t\" does not exist\n"
	    "  Position: 15\n"
	    "\tat org.postgresql.core.Q.receive(Q.java:1)\n"
	    "\t... 12 common frames omitted",
	    "org.springframework.jdbc.BadSqlGrammarException",
	    "org.postgresql.util.PSQLException" },
	{ "spring: logback's status",
	    "java.lang.IllegalStateException: Logback configuration error detected: \n"
	    "ERROR in ch.qos.logback.core.model.processor.A - Could not create component\n"
	    "WARN in ch.qos.logback.core.B - twice\n"
	    "\tat org.springframework.boot.logging.L.report(L.java:1)\n"
	    "Caused by: java.lang.ClassNotFoundException: a.b.Enc\n"
	    "\t... 24 common frames omitted",
	    "java.lang.IllegalStateException", "java.lang.ClassNotFoundException" },
	{ "spring: response status",
	    "org.springframework.web.server.ResponseStatusException: 503 SERVICE_UNAVAILABLE \"later\"\n"
	    "\tat a.b.C.get(C.java:1)\n"
	    "\tSuppressed: The stacktrace has been enhanced by Reactor, refer to additional information below: \n"
	    "Error has been observed at the following site(s):\n"
	    "\t*__checkpoint -> HTTP GET \"/x\" [ExceptionHandlingWebHandler]\n"
	    "Original Stack Trace:\n"
	    "\t\tat a.b.C.get(C.java:1)\n"
	    "Caused by: java.util.concurrent.TimeoutException\n"
	    "\t... 9 more",
	    "org.springframework.web.server.ResponseStatusException",
	    "java.util.concurrent.TimeoutException" },
	{ "feign: not found",
	    "feign.FeignException$NotFound: [404 Not Found] during [GET] to [http://x/y] [Client#get()]: [{\n"
	    "  \"code\": 7\n"
	    "}]\n"
	    "\tat feign.FeignException.clientErrorStatus(FeignException.java:219)",
	    "feign.FeignException$NotFound", NULL },
	{ "feign: retry",
	    "feign.RetryableException: Connection refused executing GET http://x/y\n"
	    "\tat feign.FeignException.errorExecuting(FeignException.java:268)\n"
	    "Caused by: java.net.ConnectException: Connection refused\n"
	    "\tat java.net.PlainSocketImpl.connect0(Native Method)\n"
	    "\t... 8 more",
	    "feign.RetryableException", "java.net.ConnectException" },
	{ "guice: creation",
	    "com.google.inject.CreationException: Unable to create injector, see the following errors:\n"
	    "\n"
	    "1) No implementation for a.b.Store was bound.\n"
	    "  while locating a.b.Store\n"
	    "    for parameter 0 at a.b.Loader.<init>(Loader.java:9)\n"
	    "\n"
	    "2) A binding to a.b.C was already configured at a.b.M.configure(M.java:4).\n"
	    "  at a.b.N.configure(N.java:5)\n"
	    "\n"
	    "2 errors\n"
	    "\tat com.google.inject.internal.Errors.throwCreation(Errors.java:543)",
	    "com.google.inject.CreationException", NULL },
	{ "guice: provision",
	    "com.google.inject.ProvisionException: Unable to provision, see the following errors:\n"
	    "\n"
	    "1) [Guice/ErrorInConstructor]: IllegalStateException: no\n"
	    "  at Loader.<init>(Loader.java:9)\n"
	    "\n"
	    "Learn more:\n"
	    "  https://example.org/ERROR\n"
	    "\n"
	    "1 error\n"
	    "\n"
	    "======================\n"
	    "Full classname legend:\n"
	    "======================\n"
	    "Loader: \"a.b.Loader\"\n"
	    "========================\n"
	    "End of classname legend:\n"
	    "========================\n"
	    "\n"
	    "\tat com.google.inject.internal.I.get(I.java:1)\n"
	    "Caused by: java.lang.IllegalStateException: no\n"
	    "\tat a.b.Loader.<init>(Loader.java:9)\n"
	    "\t... 11 more",
	    "com.google.inject.ProvisionException", "java.lang.IllegalStateException" },
	{ "spark: stage",
	    "org.apache.spark.SparkException: Job aborted due to stage failure: Task 3 in stage 1.0 failed 4 times, most recent failure: Lost task 3.3 in stage 1.0 (TID 9) (10.0.0.1 executor 2): java.lang.NumberFormatException: For input string: \"x\"\n"
	    "\tat java.lang.Integer.parseInt(Integer.java:652)\n"
	    "\tat a.b.C.call(C.scala:3)\n"
	    "\n"
	    "Driver stacktrace:\n"
	    "\tat org.apache.spark.scheduler.DAGScheduler.failJob(DAGScheduler.scala:2672)\n"
	    "Caused by: java.lang.NumberFormatException: For input string: \"x\"\n"
	    "\t... 1 more",
	    "org.apache.spark.SparkException", "java.lang.NumberFormatException" },
	{ "spark: parse",
	    "org.apache.spark.sql.catalyst.parser.ParseException: \n"
	    "[PARSE_SYNTAX_ERROR] Syntax error at or near 'frm'.(line 1, pos 9)\n"
	    "\n"
	    "== SQL ==\n"
	    "select 1 frm t\n"
	    "---------^^^\n"
	    "\n"
	    "\tat org.apache.spark.sql.catalyst.parser.P.withCommand(P.scala:1)",
	    "org.apache.spark.sql.catalyst.parser.ParseException", NULL },
	{ "spark: analysis",
	    "org.apache.spark.sql.AnalysisException: [COLUMN_NOT_FOUND] no column `x`; line 1 pos 7;\n"
	    "'Project ['x]\n"
	    "+- SubqueryAlias t\n"
	    "   +- Relation [a#1] parquet\n"
	    "\n"
	    "\tat org.apache.spark.sql.E.fail(E.scala:1)",
	    "org.apache.spark.sql.AnalysisException", NULL },
	{ "spark: python worker",
	    "org.apache.spark.api.python.PythonException: Traceback (most recent call last):\n"
	    "  File \"/opt/worker.py\", line 7, in main\n"
	    "    process()\n"
	    "ValueError: no\n"
	    "\n"
	    "\tat org.apache.spark.api.python.B.handle(B.scala:1)\n"
	    "\tat org.apache.spark.api.python.B.read(B.scala:2)",
	    "org.apache.spark.api.python.PythonException", NULL },
	{ "hibernate: grammar",
	    "org.hibernate.exception.SQLGrammarException: could not extract ResultSet\n"
	    "\tat org.hibernate.E.convert(E.java:1)\n"
	    "Caused by: java.sql.SQLSyntaxErrorException: ORA-00942: table or view does not exist\n"
	    "\n"
	    "https://docs.example.org/ora-00942/\n"
	    "\tat oracle.jdbc.D.processError(D.java:1)\n"
	    "Caused by: Error : 942, Position : 14, SQL = select x\n"
	    "from t, Error Message = none\n"
	    "\t... 17 more",
	    "org.hibernate.exception.SQLGrammarException", "java.sql.SQLSyntaxErrorException" },
	{ "hibernate: lazy",
	    "org.hibernate.LazyInitializationException: could not initialize proxy [a.b.E#1] - no Session\n"
	    "\tat org.hibernate.P.init(P.java:1)",
	    "org.hibernate.LazyInitializationException", NULL },
	{ "jdbc: batch",
	    "java.sql.BatchUpdateException: Batch entry 0 insert into t values\n"
	    "('a',\n"
	    "'b') was aborted: ERROR: duplicate key\n"
	    "ERROR: duplicate key value violates unique constraint \"t_pk\"\n"
	    "  Detail: Key (id)=(1) already exists.\n"
	    "\tat org.postgresql.jdbc.B.handle(B.java:1)\n"
	    "Caused by: org.postgresql.util.PSQLException: ERROR: duplicate key\n"
	    "  Detail: Key (id)=(1) already exists.\n"
	    "\t... 3 more",
	    "java.sql.BatchUpdateException", "org.postgresql.util.PSQLException" },
	{ "jdbc: pool",
	    "java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after 30000ms.\n"
	    "\tat com.zaxxer.hikari.pool.HikariPool.timeout(HikariPool.java:696)",
	    "java.sql.SQLTransientConnectionException", NULL },
	{ "liquibase",
	    "liquibase.exception.DatabaseException: ERROR: syntax error at or near \"tabel\"\n"
	    "  Position: 8\n"
	    "[Failed SQL: (0) create tabel x (\n"
	    "  id int\n"
	    ")]\n"
	    "\tat liquibase.executor.jvm.J.execute(J.java:1)\n"
	    "Caused by: org.postgresql.util.PSQLException: ERROR: syntax error at or near \"tabel\"\n"
	    "\t... 4 more",
	    "liquibase.exception.DatabaseException", "org.postgresql.util.PSQLException" },
	{ "flyway",
	    "org.flywaydb.core.internal.command.DbMigrate$FlywayMigrateException: Migration V2__x.sql failed\n"
	    "------------------------------\n"
	    "SQL State  : 42601\n"
	    "Error Code : 0\n"
	    "Message    : ERROR: syntax error\n"
	    "Location   : db/V2__x.sql\n"
	    "Line       : 1\n"
	    "Statement  : create tabel x\n"
	    "\n"
	    "\tat org.flywaydb.core.D.migrate(D.java:1)\n"
	    "Caused by: org.flywaydb.core.internal.sqlscript.FlywaySqlScriptException: no\n"
	    "\t... 5 more",
	    "org.flywaydb.core.internal.command.DbMigrate$FlywayMigrateException",
	    "org.flywaydb.core.internal.sqlscript.FlywaySqlScriptException" },
	{ "javamail: nested",
	    "com.sun.mail.util.MailConnectException: Couldn't connect to host, port: mx, 25; timeout -1;\n"
	    "  nested exception is:\n"
	    "\tjava.net.ConnectException: Connection refused\n"
	    "\tat com.sun.mail.smtp.SMTPTransport.openServer(SMTPTransport.java:2209)",
	    "com.sun.mail.util.MailConnectException", "java.net.ConnectException" },
	{ "javamail: sendfailed",
	    "javax.mail.SendFailedException: Invalid Addresses;\n"
	    "  nested exception is:\n"
	    "\tcom.sun.mail.smtp.SMTPAddressFailedException: 550 5.1.1 no such user\n"
	    "\tat com.sun.mail.smtp.SMTPTransport.rcptTo(SMTPTransport.java:2064)\n"
	    "Caused by: com.sun.mail.smtp.SMTPAddressFailedException: 550 5.1.1 no such user\n"
	    "\t... 1 more",
	    "javax.mail.SendFailedException", "com.sun.mail.smtp.SMTPAddressFailedException" },
	{ "axis: nested, without blanks",
	    "org.apache.axis.AxisFault: ; nested exception is: \n"
	    "java.net.SocketTimeoutException: Read timed out\n"
	    "\tat org.apache.axis.AxisFault.makeFault(AxisFault.java:101)",
	    "org.apache.axis.AxisFault", "java.net.SocketTimeoutException" },
	{ "reactor: dropped",
	    "reactor.core.Exceptions$ErrorCallbackNotImplemented: java.lang.IllegalStateException: b\n"
	    "Caused by: java.lang.IllegalStateException: b\n"
	    "\tat a.b.C.run(C.java:1)",
	    "reactor.core.Exceptions$ErrorCallbackNotImplemented",
	    "java.lang.IllegalStateException" },
	{ "reactor: assembly",
	    "java.lang.IllegalStateException: x\n"
	    "\tat a.b.C.run(C.java:1)\n"
	    "\tSuppressed: reactor.core.publisher.FluxOnAssembly$OnAssemblyException: \n"
	    "Assembly trace from producer [reactor.core.publisher.MonoMap] :\n"
	    "\treactor.core.publisher.Mono.map(Mono.java:3467)\n"
	    "\ta.b.C.run(C.java:1)\n"
	    "Error has been observed at the following site(s):\n"
	    "\t|_  Mono.map -> at a.b.C.run(C.java:1)\n"
	    "Original Stack Trace:\n"
	    "\t\tat a.b.C.run(C.java:1)",
	    "java.lang.IllegalStateException", NULL },
	{ "netty",
	    "io.netty.channel.AbstractChannel$AnnotatedConnectException: Connection refused: x/10.0.0.1:80\n"
	    "Caused by: java.net.ConnectException: Connection refused\n"
	    "\tat sun.nio.ch.Net.pollConnect(Native Method)",
	    "io.netty.channel.AbstractChannel$AnnotatedConnectException",
	    "java.net.ConnectException" },
	{ "grpc",
	    "io.grpc.StatusRuntimeException: UNAVAILABLE: io exception\n"
	    "Channel Pipeline: [SslHandler#0, ProtocolNegotiators$ClientTlsHandler#0]\n"
	    "\tat io.grpc.stub.ClientCalls.toStatusRuntimeException(ClientCalls.java:268)\n"
	    "Caused by: javax.net.ssl.SSLHandshakeException: General OpenSslEngine problem\n"
	    "\t... 7 more",
	    "io.grpc.StatusRuntimeException", "javax.net.ssl.SSLHandshakeException" },
	{ "google: json in a message",
	    "com.google.api.client.googleapis.json.GoogleJsonResponseException: 404 Not Found\n"
	    "GET https://x/y\n"
	    "{\n"
	    "  \"code\" : 404,\n"
	    "  \"errors\" : [ {\n"
	    "    \"reason\" : \"notFound\"\n"
	    "  } ]\n"
	    "}\n"
	    "\tat com.google.api.client.J.from(J.java:1)",
	    "com.google.api.client.googleapis.json.GoogleJsonResponseException", NULL },
	{ "aws",
	    "software.amazon.awssdk.services.s3.model.NoSuchKeyException: The specified key does not exist. (Service: S3, Status Code: 404, Request ID: 7)\n"
	    "\tat software.amazon.awssdk.core.H.handle(H.java:1)",
	    "software.amazon.awssdk.services.s3.model.NoSuchKeyException", NULL },
	{ "snowflake",
	    "net.snowflake.client.jdbc.SnowflakeSQLException: SQL compilation error:\n"
	    "error line 1 at position 7\n"
	    "invalid identifier 'X'\n"
	    "\tat net.snowflake.client.jdbc.U.check(U.java:1)",
	    "net.snowflake.client.jdbc.SnowflakeSQLException", NULL },
	{ "jackson",
	    "com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException: Unrecognized field \"x\" (class a.B), not marked as ignorable (2 known properties: \"a\", \"b\"])\n"
	    " at [Source: (String)\"{\n"
	    "  \"x\" : 1\n"
	    "}\"; line: 2, column: 9] (through reference chain: a.B[\"x\"])\n"
	    "\tat com.fasterxml.jackson.databind.D.handle(D.java:1)",
	    "com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException", NULL },
	{ "dropwizard",
	    "! java.net.ConnectException: refused\n"
	    "! at a.b.N.open(N.java:1)\n"
	    "! ... 3 common frames omitted\n"
	    "! Causing: a.b.LoadException: load\n"
	    "! at a.b.C.load(C.java:1)",
	    "a.b.LoadException", "java.net.ConnectException" },
	{ "a list of errors",
	    "javax.validation.ConstraintViolationException: 2 errors:\n"
	    "- name: must not be blank\n"
	    "- size: must be positive\n"
	    "* done *\n"
	    "\tat a.b.V.check(V.java:1)",
	    "javax.validation.ConstraintViolationException", NULL },
	{ "xml in a message",
	    "javax.xml.ws.soap.SOAPFaultException: fault\n"
	    "<soap:Fault>\n"
	    "  <faultcode>7</faultcode>\n"
	    "</soap:Fault>\n"
	    "\tat a.b.W.call(W.java:1)",
	    "javax.xml.ws.soap.SOAPFaultException", NULL },
	{ "indented",
	    "    java.io.IOException: x\n"
	    "        at a.B.c(B.java:1)\n"
	    "    Caused by: java.io.EOFException\n"
	    "        ... 1 more",
	    "java.io.IOException", NULL },
};

static const struct trace_case other_traces[] = {
	{ "groovy: power assert",
	    "Assertion failed: \n"
	    "\n"
	    "assert rows == 3\n"
	    "       |    |\n"
	    "       2    false\n"
	    "\n"
	    "\tat Script1.run(Script1.groovy:1)",
	    NULL, NULL },
	{ "thread dump",
	    "Full thread dump OpenJDK 64-Bit Server VM (21.0.1+12 mixed mode):\n"
	    "\n"
	    "Threads class SMR info:\n"
	    "_java_thread_list=0x00007f, length=2, elements={\n"
	    "0x00007f01, 0x00007f02\n"
	    "}\n"
	    "\n"
	    "\"main\" #1 [7] prio=5 os_prio=0 cpu=12.1ms elapsed=4.2s tid=0x00007f01 nid=7 waiting on condition  [0x00007f]\n"
	    "   java.lang.Thread.State: TIMED_WAITING (sleeping)\n"
	    "\tat java.lang.Thread.sleep0(Native Method)\n"
	    "\t- locked <0x000000071> (a java.lang.Object)\n"
	    "\n"
	    "\"GC Thread#0\" os_prio=0 cpu=1.0ms elapsed=4.2s tid=0x00007f02 nid=8 runnable\n"
	    "\n"
	    "JNI global refs: 15, weak refs: 0",
	    NULL, NULL },
	{ "python",
	    "Traceback (most recent call last):\n"
	    "  File \"/app/load.py\", line 7, in <module>\n"
	    "    main()\n"
	    "  File \"/app/load.py\", line 3, in main\n"
	    "    return 1 / 0\n"
	    "ZeroDivisionError: division by zero",
	    NULL, NULL },
	{ "python: chained",
	    "Traceback (most recent call last):\n"
	    "  File \"/app/a.py\", line 2, in f\n"
	    "    d[\"x\"]\n"
	    "KeyError: 'x'\n"
	    "\n"
	    "During handling of the above exception, another exception occurred:\n"
	    "\n"
	    "Traceback (most recent call last):\n"
	    "  File \"/app/a.py\", line 4, in f\n"
	    "    raise LoadError(\"no\") from None\n"
	    "app.errors.LoadError: no",
	    NULL, NULL },
	{ "python: cause",
	    "Traceback (most recent call last):\n"
	    "  File \"/app/a.py\", line 2, in f\n"
	    "    g()\n"
	    "OSError: [Errno 2] none\n"
	    "\n"
	    "The above exception was the direct cause of the following exception:\n"
	    "\n"
	    "Traceback (most recent call last):\n"
	    "  File \"/app/a.py\", line 4, in f\n"
	    "    raise\n"
	    "RuntimeError",
	    NULL, NULL },
	{ "python: syntax",
	    "Traceback (most recent call last):\n"
	    "  File \"/app/a.py\", line 1, in <module>\n"
	    "    import b\n"
	    "  File \"/app/b.py\", line 3\n"
	    "    def f(:\n"
	    "          ^\n"
	    "SyntaxError: invalid syntax",
	    NULL, NULL },
	{ "go: panic",
	    "panic: runtime error: invalid memory address or nil pointer dereference\n"
	    "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47]\n"
	    "\n"
	    "goroutine 1 [running]:\n"
	    "main.load(0x0)\n"
	    "\t/src/main.go:10 +0x1d\n"
	    "main.main()\n"
	    "\t/src/main.go:5 +0x2a\n"
	    "\n"
	    "goroutine 18 [select]:\n"
	    "net/http.(*persistConn).writeLoop(0xc0001)\n"
	    "\t/go/src/net/http/transport.go:2410 +0xf2\n"
	    "created by net/http.(*Transport).dialConn\n"
	    "\t/go/src/net/http/transport.go:1769 +0x173",
	    NULL, NULL },
	{ "go: recovered",
	    "panic: first [recovered]\n"
	    "\tpanic: second\n"
	    "\n"
	    "goroutine 7 [running]:\n"
	    "main.f()\n"
	    "\t/src/main.go:3 +0x1",
	    NULL, NULL },
	{ "go: deadlock",
	    "fatal error: all goroutines are asleep - deadlock!\n"
	    "\n"
	    "goroutine 1 [chan receive]:\n"
	    "main.main()\n"
	    "\t/src/main.go:5 +0x3d",
	    NULL, NULL },
	{ "node: thrown",
	    "TypeError: Cannot read properties of undefined (reading 'x')\n"
	    "    at load (/app/load.js:10:5)\n"
	    "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
	    NULL, NULL },
	{ "node: uncaught",
	    "/app/load.js:10\n"
	    "    throw new Error('x');\n"
	    "    ^\n"
	    "\n"
	    "Error: x\n"
	    "    at load (/app/load.js:10:11)\n"
	    "    at Object.<anonymous> (/app/load.js:12:1) {\n"
	    "  code: 'X'\n"
	    "}\n"
	    "\n"
	    "Node.js v20.1.0",
	    NULL, NULL },
	{ "node: module",
	    "node:internal/modules/cjs/loader:1080\n"
	    "  throw err;\n"
	    "  ^\n"
	    "\n"
	    "Error: Cannot find module 'x'\n"
	    "Require stack:\n"
	    "- /app/load.js\n"
	    "    at Module._resolveFilename (node:internal/modules/cjs/loader:1077:15) {\n"
	    "  code: 'MODULE_NOT_FOUND',\n"
	    "  requireStack: [ '/app/load.js' ]\n"
	    "}\n"
	    "\n"
	    "Node.js v20.1.0",
	    NULL, NULL },
	{ "node: cause",
	    "Error: load failed\n"
	    "    at load (/app/load.js:3:9) {\n"
	    "  [cause]: Error: refused\n"
	    "      at connect (/app/net.js:7:2)\n"
	    "}",
	    NULL, NULL },
	{ "ruby",
	    "app/load.rb:3:in `fetch': key not found: :x (KeyError)\n"
	    "\tfrom app/load.rb:3:in `load'\n"
	    "\tfrom app/main.rb:9:in `<main>'",
	    NULL, NULL },
	{ "ruby: 3.4",
	    "app/load.rb:3:in 'Hash#fetch': key not found: :x (KeyError)\n"
	    "\tfrom app/load.rb:3:in 'Object#load'\n"
	    "\tfrom app/main.rb:9:in '<main>'",
	    NULL, NULL },
	{ "ruby: latest last",
	    "Traceback (most recent call last):\n"
	    "\t2: from app/main.rb:9:in `<main>'\n"
	    "\t1: from app/load.rb:7:in `load'\n"
	    "app/load.rb:3:in `fetch': key not found: :x (KeyError)",
	    NULL, NULL },
};

#endif
